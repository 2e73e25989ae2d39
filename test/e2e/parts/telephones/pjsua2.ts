// A real pjsua2 as the telephone at the far end: it answers at once. Unlike baresip it holds and resumes by re-INVITE and by UPDATE, takes
// Replaces, starts both kinds of transfer, sends keys by INFO, keeps session timers, and records on after a hold.
import { mkdir, readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { patienceMs } from "../../../../dev/loopback/patience.ts";
import { listen } from "../../../../dev/audio/goertzel.ts";
import type { Keypress } from "../../../../dev/audio/telephone-event.ts";
import { decodeWav } from "../../../../dev/audio/wav.ts";
import { PJSUA2_VENV } from "../../setup/versions.ts";
import type { Hearing } from "../base/hearing.ts";
import type { Log } from "../base/log.ts";
import { freePort, freePorts } from "../../../../dev/loopback/free-ports.ts";
import type { Rig } from "../base/rig.ts";
import { until, within } from "../base/until.ts";

const PROGRAM = resolve(import.meta.dirname, "telephone.py");
const RTP_PORTS = 16;

export interface Pjsua2Options {
  readonly number: string;
  /** The tone it plays, in Hz. */
  readonly toneHz: number;
  /** The only one that it has; PCMU unless said otherwise. */
  readonly codec?: "PCMU" | "PCMA" | "G722";
  /** Whether it asks for a session timer (RFC 4028); it has one of 90 s in any case. */
  readonly sessionTimer?: "off" | "if asked" | "always";
  readonly srtp?: "off" | "required";
  /** Its SIP port, if it has to be known before; a free one otherwise. */
  readonly port?: number;
}

/** `state`, `media`, `request`, `digit`, `digit over`, `incoming`, `transfer asked`, `transfer status` or `replaced`. */
interface Pjsua2Event {
  readonly event: string;
  readonly call?: number;
  readonly [field: string]: unknown;
}

type By = "re-INVITE" | "UPDATE";

export interface Pjsua2 {
  readonly number: string;
  /** Its SIP port on 127.0.0.1, UDP and TCP. */
  readonly port: number;
  readonly log: Log;
  readonly events: readonly Pjsua2Event[];
  /** The first event that has these fields, from index `from` of `events` on. */
  event(fields: Readonly<Record<string, unknown>>, from?: number): Promise<Pjsua2Event>;
  /** Calls a SIP address; the number of the call, for the commands below. They mean the newest call without one. */
  dial(uri: string): Promise<number>;
  hangup(call?: number): Promise<void>;
  hold(by: By, call?: number): Promise<void>;
  resume(by: By, call?: number): Promise<void>;
  transfer(uri: string, call?: number): Promise<void>;
  /** Has the peer of `call` call the peer of `other` in this telephone's place (REFER with Replaces). */
  transferTo(other: number, call: number): Promise<void>;
  press(keys: string, by: "RFC 4733" | "INFO"): Promise<void>;
  digits(how: "RFC 4733" | "INFO"): string;
  /** The keys that came by RFC 4733, when they are over. */
  keypresses(): Keypress[];
  /** Forgets what was heard so far. */
  listenAnew(): Promise<void>;
  readonly hears: Hearing;
  /** How much it has heard since it began, or since it listens anew. */
  heardMs(): Promise<number>;
}

type Reply = { readonly re: number; readonly ok: boolean; readonly value: unknown };

/** Starts the telephone; it ends with the rig. */
export async function startPjsua2(rig: Rig, options: Pjsua2Options): Promise<Pjsua2> {
  const controlPort = await freePort();
  const sipPort = options.port ?? (await freePort());
  const folder = rig.path(`pjsua2-${options.number}-${sipPort}`);
  await mkdir(folder, { recursive: true });
  const { number, toneHz, codec = "PCMU", sessionTimer = "if asked", srtp = "off" } = options;
  const rtp = { rtpPort: await freePorts(RTP_PORTS), rtpPorts: RTP_PORTS };
  const settings = { number, toneHz, codec, sessionTimer, srtp, sipPort, controlPort, folder, ...rtp };
  const phone = await rig.start(`pjsua2-${number}`, {
    command: join(PJSUA2_VENV, "bin", "python"),
    args: ["-u", PROGRAM, JSON.stringify(settings)],
    cwd: folder,
  });
  const control = await openControl(controlPort, () => phone.running);
  // It hangs up what is left and ends when the connection does.
  rig.defer("pjsua2 control", async () => {
    control.end();
    await phone.exited;
  });

  const events: Pjsua2Event[] = [];
  const waiting = new Map<number, (reply: Reply) => void>();
  createInterface({ input: control }).on("line", (line) => {
    phone.log.append(`[${line.slice(0, 200)}]\n`);
    const message = JSON.parse(line) as Pjsua2Event | Reply;
    if ("event" in message) events.push(message);
    else waiting.get(message.re)?.(message);
  });

  let requests = 0;
  const command = async (what: string, fields: Readonly<Record<string, unknown>> = {}): Promise<unknown> => {
    requests += 1;
    const id = requests;
    const reply = new Promise<Reply>((done) => waiting.set(id, done));
    control.write(`${JSON.stringify({ id, do: what, ...fields })}\n`);
    const { ok, value } = await within(`pjsua2 to ${what}`, patienceMs, reply);
    waiting.delete(id);
    if (!ok) throw new Error(`pjsua2 could not ${what}: ${String(value)}`);
    return value;
  };
  const event: Pjsua2["event"] = (fields, from = 0) =>
    until(`pjsua2's ${JSON.stringify(fields)}`, () =>
      events.slice(from).find((each) => Object.entries(fields).every(([name, value]) => each[name] === value)),
    );
  await event({ event: "ready" });

  let recording = String(await command("listen anew"));
  const recorded = async (): Promise<{ samples: Int16Array; rate: number }> => {
    const bytes = await readFile(recording);
    if (bytes.length < 64) return { samples: new Int16Array(), rate: 8000 };
    const { channels, rate } = decodeWav(bytes);
    return { samples: channels[0] ?? new Int16Array(), rate };
  };
  const one = (call: number | undefined): { call?: number } => (call === undefined ? {} : { call });

  return {
    number,
    port: sipPort,
    log: phone.log,
    events,
    event,
    dial: async (to) => Number(await command("dial", { to })),
    hangup: async (call) => void (await command("hang up", one(call))),
    hold: async (by, call) => void (await command("hold", { by, ...one(call) })),
    resume: async (by, call) => void (await command("resume", { by, ...one(call) })),
    transfer: async (to, call) => void (await command("transfer", { to, ...one(call) })),
    transferTo: async (other, call) => void (await command("transfer to call", { other, call })),
    press: async (keys, by) => void (await command("press", { keys, by })),
    digits: (how) =>
      events
        .filter((each) => each.event === "digit" && each["how"] === how)
        .map((each) => String(each["digit"]))
        .join(""),
    keypresses: () =>
      events
        .filter((each) => each.event === "digit over")
        .map((each) => ({ digit: String(each["digit"]), durationMs: Number(each["durationMs"]) })),
    async listenAnew() {
      recording = String(await command("listen anew"));
    },
    async hears(frequencies, durationMs) {
      const { samples, rate } = await recorded();
      const wanted = Math.round((rate * durationMs) / 1000);
      return samples.length < wanted ? undefined : listen(samples.subarray(-wanted), rate, frequencies);
    },
    async heardMs() {
      const { samples, rate } = await recorded();
      return (samples.length * 1000) / rate;
    },
  };
}

/** The program listens as soon as Python has loaded pjsua2. */
const openControl = (port: number, running: () => boolean): Promise<Socket> =>
  until(
    "pjsua2 to be there",
    async () => {
      if (!running()) throw new Error("it has ended");
      return await new Promise<Socket>((done, failed) => {
        const socket = connect(port, "127.0.0.1", () => done(socket));
        socket.once("error", failed);
      });
    },
    { timeoutMs: patienceMs },
  );
