// A real SIPp at the far end (or at the near one), playing one scenario of ours for one call.
// Its verdict is its exit code; its message, error and screen logs are shown when it fails.
import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { SIPP } from "../../setup/versions.ts";
import { freePort } from "../../../../dev/loopback/free-ports.ts";
import type { Rig } from "../base/rig.ts";

const SCENARIOS = resolve(import.meta.dirname, "../../scenarios");

/** The scenarios, by what the endpoint does: each file's first line says the rest. `uac` calls, `uas` is called. */
export type Scenario =
  | "uac-anonymous"
  | "uac-digest"
  | "uac-talks"
  | "uac-wait-bye"
  | "uac-declined"
  | "uac-no-such-number"
  | "uac-cancel-before-ringing"
  | "uac-cancel-while-ringing"
  | "uac-cancel-crosses-answer"
  | "uac-drop-one-ack"
  | "uac-never-acks"
  | "uac-repeats-invite"
  | "uac-drop-one-prack"
  | "uac-late-offer"
  | "uac-update-before-answer"
  | "uac-bye-before-answer"
  | "uac-unknown-require"
  | "uac-reinvite-glare"
  | "uac-refers"
  | "uac-replaces"
  | "uac-sends-keys"
  | "uac-session-refreshed"
  | "uac-session-too-brief"
  | "uac-held"
  | "uac-holds" // and goes on whenever it is told to
  | "uac-message" // with the `text` of its words
  | "uas-busy"
  | "uas-not-found"
  | "uas-unavailable"
  | "uas-moved"
  | "uas-no-answer"
  | "uas-unanswered" // rings for `talkMs`
  | "uas-late-answer" // rings for `talkMs`
  | "uas-answers-cancelled"
  | "uas-answer-then-bye"
  | "uas-wait-bye"
  | "uas-hold"
  | "uas-two-answers"
  | "uas-drop-one-prack"
  | "uas-session-refreshed"
  | "uas-session-forgotten"
  | "uas-session-silent"
  | "uas-session-refreshes"
  | "uas-keys-by-info"
  | "uas-message";

export interface SippOptions {
  readonly scenario: Scenario;
  /** Its SIP port on 127.0.0.1 (UDP); a free one otherwise. */
  readonly port?: number;
  /** The RTP port its SDP names: that of an RTP ear. */
  readonly rtpPort?: number;
  /** `host:port` that a caller sends to. */
  readonly target?: string;
  /** The number a caller dials, or that of the called one. */
  readonly number?: string;
  /** The number that calls. */
  readonly caller?: string;
  /** What the scenario calls by a name of its own: `[third]`, `[moved_to]`. */
  readonly words?: Readonly<Record<string, string>>;
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
  /** Ends it in the middle of its scenario, as a power cut would. */
  kill(): Promise<void>;
  /** Tells a scenario that waits for INFO in its call to go on. */
  goOn(): Promise<void>;
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

/** An INFO as the peer of the call would send it, with its To, by which the scenario goes on to know its peer. */
function infoFor(messages: string): string {
  const sipCallId = /^Call-ID: .*$/m.exec(messages)?.[0];
  const to = /^To: .*tag=.*$/m.exec(messages.slice(messages.indexOf("\nSIP/2.0 200")))?.[0];
  if (sipCallId === undefined || to === undefined) throw new Error("the call is not answered yet");
  const via = "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKgoon";
  const lines = ["INFO sip:sipp@127.0.0.1 SIP/2.0", via, "From: <sip:test@127.0.0.1>;tag=test", to, sipCallId];
  return [...lines.map((line) => line.trimEnd()), "CSeq: 1 INFO", "Content-Length: 0", "", ""].join("\r\n");
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
    // Else it takes what comes again for what it has answered already, and answers that again by itself.
    ...(options.scenario.includes("-drop-") ? { nr: [] } : {}),
    deadcall_wait: ["0"], // else it lingers for late messages when all is over
    s: [options.number ?? "service"],
    au: [user],
    ap: [password],
    d: [`${options.talkMs ?? 500}`],
    trace_err: [],
    error_file: [file("errors")],
    trace_msg: [],
    message_file: [file("messages")],
    trace_screen: [],
    screen_file: [file("screen")],
  };
  const words = { rtp_port: `${options.rtpPort ?? 9}`, caller: options.caller ?? "sipp", ...options.words };
  const sipp = await rig.start(`sipp-${options.scenario}`, {
    command: SIPP,
    args: [
      ...(options.target === undefined ? [] : [options.target]),
      ...Object.entries(flags).flatMap(([flag, values]) => [`-${flag}`].concat(values)),
      ...Object.entries(words).flatMap(([name, value]) => ["-key", name, value]),
    ],
    cwd: rig.folder,
    // The screen wants a terminal's kind to draw itself.
    env: { TERM: "dumb" },
  });
  for (const kind of ["messages", "errors", "screen"]) rig.attach(file(kind));
  // A caller may be through with its scenario before anybody looks.
  await sipp.until("SIPp to listen", async () => !sipp.running || (await isBound(port)));

  return {
    port,
    messages: () => readOrNothing(file("messages")),
    async goOn() {
      const socket = createSocket("udp4");
      const info = infoFor(await readOrNothing(file("messages")));
      await new Promise<void>((resolve) => socket.send(info, port, "127.0.0.1", () => resolve()));
      socket.close();
    },
    async firstAt(startLine) {
      const messages = await readOrNothing(file("messages"));
      const index = messages.indexOf(`\n${startLine}`);
      const [, date, time] = [...messages.slice(0, Math.max(index, 0)).matchAll(STAMP)].at(-1) ?? [];
      return date === undefined || time === undefined ? undefined : new Date(`${date}T${time}`).getTime();
    },
    async kill() {
      sipp.signal("SIGKILL");
      await sipp.exited;
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
