// A ladder as lanes and rungs: who stands where, and which messages belong together. Pure.
import type { Ladder, LadderMessage } from "../api/types.ts";

export interface Lane {
  readonly key: string;
  readonly kind: LadderMessage["from"]["lane"];
  /** Of a person or a trunk; empty where nothing is known. */
  readonly name: string;
  readonly address: string | undefined;
}

export interface Rung {
  readonly message: LadderMessage;
  /** Places of the lanes. */
  readonly from: number;
  readonly to: number;
  /** Of the dialog or room: 0, 1, 2 … in the order in which they began. */
  readonly thread: number;
  /** After the first message. */
  readonly afterMs: number;
}

export interface Layout {
  readonly lanes: readonly Lane[];
  readonly rungs: readonly Rung[];
  readonly threads: number;
}

type Side = LadderMessage["from"];

/** From the left to the right; trunks in the order in which they came in. */
const places: Readonly<Record<Side["lane"], number>> = { client: 0, homeserver: 1, bridge: 2, trunk: 3 };

function keyOf({ lane, name }: Side, thread: string): string {
  if (lane === "trunk") return `trunk ${thread}`;
  return lane === "client" ? `client ${name}` : lane;
}

export function layoutOf({ messages }: Ladder): Layout {
  const lanes = new Map<string, Lane>();
  const threads: string[] = [];
  for (const { from, to, thread } of messages) {
    if (!threads.includes(thread)) threads.push(thread);
    for (const side of [from, to]) {
      const key = keyOf(side, thread);
      const { lane: kind, name, address } = side;
      if (!lanes.has(key)) lanes.set(key, { key, kind, name, address });
    }
  }
  const ordered = [...lanes.values()].toSorted((a, b) => places[a.kind] - places[b.kind]);
  const placeOf = (side: Side, thread: string): number => ordered.findIndex(({ key }) => key === keyOf(side, thread));
  const beganMs = Date.parse(messages[0]?.at ?? "");
  return {
    lanes: ordered,
    threads: threads.length,
    rungs: messages.map((message) => ({
      message,
      from: placeOf(message.from, message.thread),
      to: placeOf(message.to, message.thread),
      thread: threads.indexOf(message.thread),
      afterMs: Date.parse(message.at) - beganMs,
    })),
  };
}

/** A, B, C … */
export function letterOf(thread: number): string {
  return String.fromCodePoint(65 + (thread % 26));
}
