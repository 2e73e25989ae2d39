// A ladder as telephone engineers draw it: a lane for each side, an arrow for each message, 80 columns wide.
import type * as z from "zod";
import type { ladder } from "../../http/admin/wire/ladders.ts";
import { plain } from "../admin/print.ts";

export type LadderOfCall = z.infer<typeof ladder>;
type Message = LadderOfCall["messages"][number];
type Side = Message["from"];

const width = 80;
/** Number and time. */
const before = 14;
const margin = 6;
const mostTrunks = 3;

interface Lane {
  readonly key: string;
  readonly heads: readonly [string, string];
}

function keyOf(side: Side, message: Message): string {
  if (side.lane === "trunk") return `trunk ${message.thread}`;
  return side.lane === "bridge" ? "bridge" : "matrix";
}

/** Matrix on the left, trunks on the right; of two telephones that were joined one on each side. */
function lanesOf(messages: readonly Message[]): readonly Lane[] {
  const sides = messages.flatMap((message) => [message.from, message.to].map((side) => ({ side, message })));
  const people = new Set(sides.flatMap(({ side }) => (side.lane === "client" && side.name !== "" ? [side.name] : [])));
  const [person] = people;
  const trunks: Lane[] = [];
  for (const { side, message } of sides) {
    const key = keyOf(side, message);
    if (side.lane !== "trunk" || trunks.some((lane) => lane.key === key) || trunks.length >= mostTrunks) continue;
    trunks.push({ key, heads: [side.name, side.address ?? ""] });
  }
  const bridge: Lane = { key: "bridge", heads: ["bridge", ""] };
  const hasMatrix = sides.some(({ side }) => side.lane === "client" || side.lane === "homeserver");
  if (hasMatrix) {
    const name = people.size === 1 && person !== undefined ? person : "Matrix";
    return [{ key: "matrix", heads: [name, ""] }, bridge, ...trunks];
  }
  const [first, ...rest] = trunks;
  return first !== undefined && rest.length === 1 ? [first, bridge, ...rest] : [bridge, ...trunks];
}

function put(line: string[], at: number, text: string): void {
  for (let index = 0; index < text.length && at + index < width; index++) line[at + index] = text.charAt(index);
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(0, most - 1))}~`;
}

function centred(line: string[], middle: number, text: string, room: number): void {
  const shown = cut(text, room);
  const from = Math.min(Math.max(middle - Math.floor(shown.length / 2), 0), width - shown.length);
  put(line, from, shown);
}

function blank(): string[] {
  return Array.from({ length: width }, () => " ");
}

function written(line: readonly string[]): string {
  return line.join("").trimEnd();
}

/** `  0.000`, in seconds after the first message. */
function secondsAfter(message: Message, first: Message): string {
  return ((Date.parse(message.at) - Date.parse(first.at)) / 1000).toFixed(3);
}

export function drawLadder({ messages }: LadderOfCall, none: string): string {
  const [first] = messages;
  if (first === undefined) return `${none}\n`;
  const lanes = lanesOf(messages);
  const span = Math.floor((width - before - 2 * margin - 1) / Math.max(1, lanes.length - 1));
  const place = (index: number): number => before + margin + index * span;
  const laneOf = (side: Side, message: Message): number => {
    const found = lanes.findIndex(({ key }) => key === keyOf(side, message));
    // Trunks that have no lane of their own share the last one.
    return found < 0 ? lanes.length - 1 : found;
  };
  const bars = (): string[] => {
    const line = blank();
    for (const [index] of lanes.entries()) put(line, place(index), "|");
    return line;
  };
  const lines: string[] = [];
  for (const row of [0, 1] as const) {
    const line = blank();
    for (const [index, { heads }] of lanes.entries()) centred(line, place(index), plain(heads[row]), span - 1);
    if (written(line) !== "") lines.push(written(line));
  }
  for (const [index, message] of messages.entries()) {
    const [from, to] = [laneOf(message.from, message), laneOf(message.to, message)];
    const [left, right] = [place(Math.min(from, to)), place(Math.max(from, to))];
    if (message.left_out_before > 0) {
      const gap = bars();
      const text = ` ${message.left_out_before} messages are not kept `;
      centred(gap, Math.floor((left + right) / 2), text, right - left - 1);
      lines.push(written(gap));
    }
    const line = bars();
    put(line, 0, `${String(index + 1).padStart(3)} ${secondsAfter(message, first).padStart(8)}`);
    put(line, left + 1, "-".repeat(Math.max(0, right - left - 1)));
    if (to > from) put(line, right - 1, ">");
    else put(line, left + 1, "<");
    const label = ` ${plain(message.label)}${message.repeat ? " (again)" : ""} `;
    centred(line, Math.floor((left + right) / 2), label, right - left - 4);
    lines.push(written(line));
  }
  return `${lines.join("\n")}\n`;
}

/** Each message with its text, numbered as in the drawing. */
export function printMessages({ messages }: LadderOfCall): string {
  const [first] = messages;
  if (first === undefined) return "";
  return messages
    .map((message, index) => {
      const end = ({ lane, name, address }: Side): string =>
        [name === "" ? lane : name, address].filter(Boolean).join(" ");
      const by = message.transport === undefined ? "Matrix" : message.transport.toUpperCase();
      const head = `${index + 1}. ${message.at}, ${end(message.from)} -> ${end(message.to)}, ${by}: ${message.label}`;
      const text = message.repeat ? ["(the same message again)"] : message.text.trimEnd().split(/\r?\n/);
      return `${plain(head)}\n${text.map((line) => `   ${plain(line)}`.trimEnd()).join("\n")}\n`;
    })
    .join("\n");
}
