// A call of the demo whose both ends are on this machine: whose tones and keys are measured, and said in a line each.
import type { Heard } from "../audio/goertzel.ts";
import type { GatewayCall } from "../gateway/gateway.ts";
import { createHeadlessCaller, type HeadlessCall, type HeadlessCaller } from "../headless/caller.ts";
import { PERSON } from "./config-text.ts";
import { DemoError } from "./options.ts";
import type { Stack } from "./stack.ts";

/** What the client says; no number of the gateway plays it by itself. */
export const measuredHz = 800;
/** Power of the tone over all else: 100 is 20 dB. */
const CLEAR_RATIO = 100;
const MEASURED_MS = 1_000;
const HANG_UP_TIMEOUT_MS = 2_000;

export type Print = (line: string) => void;
export type Say = (what: string, how: string) => void;

export const sayTo =
  (print: Print): Say =>
  (what, how) =>
    print(`  ${what.padEnd(10)} ${how}`);

export const failure = (message: string, options?: ErrorOptions): DemoError =>
  new DemoError("call-failed", message, options);

export interface MeasuredCall {
  readonly stack: Stack;
  readonly call: HeadlessCall;
  /** The gateway's end. */
  readonly far: GatewayCall;
  readonly say: Say;
}

/** A person without a browser, for as long as `act` takes. */
export async function withPerson(stack: Stack, act: (person: HeadlessCaller) => Promise<void>): Promise<void> {
  const person = await createHeadlessCaller({
    homeserverUrl: stack.homeserver.url,
    user: PERSON.localpart,
    password: PERSON.password,
    toneHz: measuredHz,
    bindHost: stack.config.media.ice.host ?? "127.0.0.1",
  });
  try {
    await act(person);
  } finally {
    await person.stop();
    // What was said last reaches the gateway before everything is taken down.
    const isOver = (): boolean => stack.gateway.calls.every(({ end }) => end !== undefined);
    await stack.gateway.until(isOver, HANG_UP_TIMEOUT_MS).catch(() => undefined);
  }
}

/** After how many ms it came to that. */
export function after(call: HeadlessCall, kind: string): string {
  const fact = call.facts.find((each) => each.kind === kind);
  return fact === undefined ? "not at all" : `after ${fact.atMs} ms`;
}

/** An end that can be asked what it hears. */
interface Listener {
  readonly heardMs: number;
  heard(lastMs: number, frequencies: readonly number[]): Heard;
  until(holds: () => boolean): Promise<unknown>;
}

interface BothEnds extends Pick<MeasuredCall, "stack" | "far" | "say"> {
  readonly near: Listener;
  /** In the words of the demo. */
  readonly nearName: string;
  /** Whose tone it should hear. */
  readonly player: string;
}

/** Throws DemoError where either end does not hear the other clearly. */
export function measureTones({ stack, call, far, say }: MeasuredCall, player: string): Promise<void> {
  return measureBoth({ stack, far, say, near: call, nearName: call.direction === "out" ? "caller" : "person", player });
}

/** The same, whatever the client is. */
export async function measureBoth({ stack, far, say, near, nearName, player }: BothEnds): Promise<void> {
  await near.until(() => near.heardMs >= MEASURED_MS + 200);
  await stack.gateway.until(() => far.heardMs >= MEASURED_MS + 200);
  const outward = far.heard(MEASURED_MS, [measuredHz, 440, 1_000]);
  const inward = near.heard(MEASURED_MS, [440, 1_000, measuredHz]);
  say("tone out", `the gateway hears ${tone(outward)}`);
  say("tone back", `the ${nearName} hears ${tone(inward)}`);
  if (outward.hz !== measuredHz || outward.ratio < CLEAR_RATIO) {
    throw failure(`The gateway should hear the client's ${measuredHz} Hz clearly.`);
  }
  if (inward.hz === undefined || inward.ratio < CLEAR_RATIO) {
    throw failure(`The client should hear a tone clearly; does ${player} play one?`);
  }
}

/** Throws DemoError where other keys arrive than were pressed. */
export async function pressKeys({ stack, call, far, say }: MeasuredCall, keys: string): Promise<void> {
  await call.dtmf(keys);
  await stack.gateway.until(() => far.digits.length >= keys.length).catch(() => undefined);
  const heard = far.digits.map(({ digit }) => digit).join("");
  const durations = far.digits.map(({ durationMs }) => Math.round(durationMs));
  say("keys", `the gateway got ${heard}, ${durations.join(", ")} ms`);
  if (heard !== keys) throw failure(`The gateway should get the keys ${keys}.`);
}

const tone = ({ hz, ratio }: Heard): string =>
  hz === undefined ? "nothing" : `${hz} Hz, ${Math.round(ratio).toLocaleString("en")} times all else`;
