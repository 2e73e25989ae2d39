// A real SIPp at the far end (or at the near one), playing one scenario of ours for one call.
// Its verdict is its exit code; its message, error and screen logs are shown when it fails.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { SIPP } from "../setup/versions.ts";
import { freePort } from "./port.ts";
import type { Rig } from "./rig.ts";

const SCENARIOS = resolve(import.meta.dirname, "../scenarios");

/** The scenarios, by what the endpoint does. */
export type Scenario =
  | "uac-anonymous" // calls with the number withheld, waits for the callee to hang up
  | "uac-digest" // calls, is asked for credentials by 407, talks, hangs up
  | "uas-busy" // 486
  | "uas-not-found" // 404
  | "uas-no-answer" // rings until it is cancelled
  | "uas-unanswered" // rings for `talkMs`, then 480
  | "uas-late-answer" // rings for `talkMs`, then answers, and waits for the caller to hang up
  | "uas-answers-cancelled" // its 200 crosses the CANCEL: wants ACK and BYE
  | "uas-answer-then-bye" // answers, and hangs up after `talkMs`
  | "uas-wait-bye" // answers, and waits for the caller to hang up
  | "uas-hold"; // answers, wants a re-INVITE that holds and one that resumes, then a BYE

export interface SippOptions {
  readonly scenario: Scenario;
  /** Its SIP port on 127.0.0.1 (UDP); a free one otherwise. */
  readonly port?: number;
  /** The RTP port its SDP names: that of an RTP ear. */
  readonly rtpPort?: number;
  /** `host:port` that a caller sends to. */
  readonly target?: string;
  /** The number a caller dials. */
  readonly number?: string;
  readonly credentials?: { readonly user: string; readonly password: string };
  /** How long it talks, where it is the one to hang up, or rings, where it is not for ever. */
  readonly talkMs?: number;
  /** When SIPp gives up on the whole scenario. */
  readonly timeoutMs?: number;
}

/** The scenario was not played to its end. */
class SippError extends Error {
  readonly code = "scenario_failed";
  constructor(scenario: Scenario, exit: string, evidence: string) {
    super(`SIPp ${scenario}: ${exit}\n${evidence}`);
    this.name = "SippError";
  }
}

export interface Sipp {
  readonly port: number;
  /**
   * The scenario to its end, every message of it as expected.
   * @throws {SippError}
   */
  done(): Promise<void>;
  /** All SIP messages so far, in both directions, as SIPp logs them. */
  messages(): Promise<string>;
  /** When the first message came or went that begins so, in ms since the epoch; undefined if none has. */
  firstAt(startLine: string): Promise<number | undefined>;
}

/** SIPp's heading of each message, in local time: `----------- 2026-11-22 15:09:18.123456`. */
const STAMP = /^-{20,} (\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d\.\d{3})/gm;

/** Is the port bound? Looked up, not asked: SIPp would take a packet for a call. */
async function isBound(port: number): Promise<boolean> {
  const table = await readFile("/proc/net/udp", "utf8");
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  return table.includes(local);
}

const readOrNothing = async (file: string): Promise<string> => {
  try {
    return await readFile(file, "utf8");
  } catch {
    return ""; // not written: nothing was said
  }
};

/** Starts one endpoint; a waiting one is ready when this resolves. It ends with the rig. */
export async function startSipp(rig: Rig, options: SippOptions): Promise<Sipp> {
  const port = options.port ?? (await freePort());
  const file = (kind: string): string => rig.path(`${options.scenario}-${port}-${kind}.log`);
  const timeoutMs = options.timeoutMs ?? 30_000;
  const { user = "nobody", password = "nothing" } = options.credentials ?? {};
  const flags: Readonly<Record<string, readonly string[]>> = {
    sf: [resolve(SCENARIOS, `${options.scenario}.xml`)],
    i: ["127.0.0.1"],
    p: [`${port}`],
    t: ["u1"], // UDP, one socket
    m: ["1"], // one call
    nostdin: [],
    timeout: [`${Math.ceil(timeoutMs / 1000)}`],
    timeout_error: [],
    deadcall_wait: ["0"], // else it lingers for late messages when all is over
    s: [options.number ?? "service"],
    au: [user],
    ap: [password],
    key: ["rtp_port", `${options.rtpPort ?? 9}`],
    d: [`${options.talkMs ?? 500}`],
    trace_err: [],
    error_file: [file("errors")],
    trace_msg: [],
    message_file: [file("messages")],
    trace_screen: [],
    screen_file: [file("screen")],
  };
  const sipp = await rig.start(`sipp-${options.scenario}`, {
    command: SIPP,
    args: [
      ...(options.target === undefined ? [] : [options.target]),
      ...Object.entries(flags).flatMap(([flag, values]) => [`-${flag}`].concat(values)),
    ],
    cwd: rig.folder,
    // The screen wants a terminal's kind to draw itself.
    env: { TERM: "dumb" },
  });
  for (const kind of ["messages", "errors", "screen"]) rig.attach(file(kind));
  await sipp.until("SIPp to listen", () => isBound(port));

  return {
    port,
    messages: () => readOrNothing(file("messages")),
    async firstAt(startLine) {
      const messages = await readOrNothing(file("messages"));
      const index = messages.indexOf(`\n${startLine}`);
      const [, date, time] = [...messages.slice(0, Math.max(index, 0)).matchAll(STAMP)].at(-1) ?? [];
      return date === undefined || time === undefined ? undefined : new Date(`${date}T${time}`).getTime();
    },
    async done() {
      const { code, signal } = await sipp.exited;
      if (code === 0) return;
      const evidence = await Promise.all(["errors", "messages"].map((kind) => readOrNothing(file(kind))));
      throw new SippError(
        options.scenario,
        code === null ? `signal ${signal}` : `exit code ${code}`,
        evidence.join("\n"),
      );
    },
  };
}
