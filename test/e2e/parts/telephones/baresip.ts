// A real baresip as the telephone at the far end: answers, plays a tone, records what it hears,
// decodes key presses, and hangs up when told. Without registration, G.711 only.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { patienceMs } from "../../../../dev/loopback/patience.ts";
import { listen } from "../../../../dev/audio/goertzel.ts";
import { tone } from "../../../../dev/audio/tone.ts";
import { decodeWav, encodeWav } from "../../../../dev/audio/wav.ts";
import { BARESIP, BARESIP_MODULES } from "../../setup/versions.ts";
import type { Hearing } from "../base/hearing.ts";
import { freePort, freePorts } from "../../../../dev/loopback/free-ports.ts";
import type { Rig } from "../base/rig.ts";
import { answersOptions } from "../proxies/sip-ping.ts";
import { until, within } from "../base/until.ts";

const RATE = 8000;

export interface BaresipOptions {
  /** Its telephone number: the user part that it answers to. */
  readonly number: string;
  /** The tone it plays, in Hz. */
  readonly toneHz: number;
  /** Answers at once (the default), or rings until `answer()`. */
  readonly answers?: "at once" | "when told";
  readonly codec?: "PCMU" | "PCMA";
  /** What it is called besides its number. */
  readonly displayName?: string;
  /** More of its account line, such as `;call_transfer=no`. */
  readonly account?: string;
  /** Takes calls with SDES-SRTP only. */
  readonly srtp?: boolean;
  /** Its SIP port, if it has to be known before; a free one otherwise. */
  readonly port?: number;
}

/** What baresip tells of itself, one JSON object each. */
interface BaresipEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface Baresip {
  readonly number: string;
  /** Its SIP port on 127.0.0.1, UDP and TCP. */
  readonly port: number;
  /** All events so far, oldest first: CALL_INCOMING, CALL_ESTABLISHED, CALL_DTMF_START, CALL_CLOSED ... */
  readonly events: readonly BaresipEvent[];
  /** The first event of a type, from index `from` of `events` on. */
  event(type: string, options?: { timeoutMs?: number; from?: number }): Promise<BaresipEvent>;
  /** A command of its menu: `accept`, `hangup`, `hold`, `resume`, `sndcode`, ... */
  command(name: string, params?: string): Promise<void>;
  /** Calls a SIP address; over the proxy, as `sip:NUMBER@PROXY`. */
  dial(uri: string): Promise<void>;
  answer(): Promise<void>;
  hangup(): Promise<void>;
  /** Digits it has decoded from RFC 4733 events, in order. */
  digits(): string;
  /** What it hears in the newest call: see {@link Hearing}. */
  readonly hears: Hearing;
  stop(): Promise<void>;
  /** Ends it without a word to anybody, as a power cut would. */
  kill(): Promise<void>;
}

interface Ports {
  readonly sip: number;
  readonly control: number;
  readonly rtp: number;
}

const RTP_PORTS = 16;

// Paths are relative to its folder: it cuts a device name off at 128 characters.
const configuration = (ports: Ports): string =>
  `
poll_method epoll
sip_listen 127.0.0.1:${ports.sip}
net_interface 127.0.0.1
call_local_timeout 120
call_max_calls 4
audio_path .
audio_source aufile,tone.wav
audio_player aubridge,ear
audio_alert aubridge,bell
ausrc_srate ${RATE}
auplay_srate ${RATE}
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
rtp_ports ${ports.rtp}-${ports.rtp + RTP_PORTS - 1}
rtp_stats yes
jitter_buffer_delay 1-5
snd_path heard
ctrl_tcp_listen 127.0.0.1:${ports.control}
module_path ${BARESIP_MODULES}
module g711.so
module srtp.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app ctrl_tcp.so
module_app menu.so
statmode_default off
`.trimStart();

/** Netstrings (`12:{"a":"b"...},`) out of a stream: what is complete, and the rest. */
function takeNetstrings(buffer: Buffer): { whole: string[]; rest: Buffer } {
  const whole: string[] = [];
  let rest = buffer;
  for (;;) {
    const colon = rest.indexOf(":");
    const length = Number(rest.subarray(0, Math.max(colon, 0)).toString("latin1"));
    if (colon <= 0 || !Number.isInteger(length) || rest.length < colon + length + 2) return { whole, rest };
    whole.push(rest.subarray(colon + 1, colon + 1 + length).toString("utf8"));
    rest = rest.subarray(colon + length + 2);
  }
}

const openControl = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });

/** The newest recording, as far as it is written; undefined before a call has had audio. */
async function newestRecording(folder: string): Promise<Int16Array | undefined> {
  const files = (await readdir(folder)).filter((name) => name.endsWith("-dec.wav")).toSorted();
  const newest = files.at(-1);
  if (newest === undefined) return undefined;
  const bytes = await readFile(join(folder, newest));
  return bytes.length < 64 ? undefined : decodeWav(bytes).channels[0];
}

/** Starts the telephone; it ends with the rig. */
export async function startBaresip(rig: Rig, options: BaresipOptions): Promise<Baresip> {
  const ports = { sip: options.port ?? (await freePort()), control: await freePort(), rtp: await freePorts(RTP_PORTS) };
  const folder = rig.path(`baresip-${options.number}-${ports.sip}`);
  const recordings = join(folder, "heard");
  await mkdir(recordings, { recursive: true });
  await writeFile(join(folder, "config"), configuration(ports));
  const mode = options.answers === "when told" ? "manual" : "auto";
  const encryption = options.srtp === true ? ";mediaenc=srtp-mand" : "";
  const name = options.displayName === undefined ? "" : `"${options.displayName}" `;
  await writeFile(
    join(folder, "accounts"),
    `${name}<sip:${options.number}@127.0.0.1:${ports.sip}>;regint=0;answermode=${mode};audio_codecs=${options.codec ?? "PCMU"}/8000/1${encryption}${options.account ?? ""}\n`,
  );
  // It plays its file once: long enough for any test. Whole seconds, so nothing clicks.
  await writeFile(join(folder, "tone.wav"), encodeWav(tone(options.toneHz, RATE, 120_000), RATE));

  const phone = await rig.start(`baresip-${options.number}`, {
    command: BARESIP,
    args: ["-f", ".", "-v"],
    cwd: folder,
  });
  await phone.until("baresip to answer", () => answersOptions(ports.sip));

  const events: BaresipEvent[] = [];
  const replies = new Map<string, (reply: { ok: boolean; data: string }) => void>();
  const control = await openControl(ports.control);
  rig.defer("baresip control", async () => void control.destroy());
  let rest: Buffer = Buffer.alloc(0);
  control.on("error", (error) => phone.log.append(`[control: ${error.message}]\n`));
  control.on("data", (bytes: Buffer) => {
    const taken = takeNetstrings(Buffer.concat([rest, bytes]));
    rest = taken.rest;
    for (const text of taken.whole) {
      const message = JSON.parse(text) as Record<string, unknown>;
      if (message["event"] === true) {
        events.push(message as BaresipEvent);
        phone.log.append(`[event ${text}]\n`);
      } else if (message["response"] === true) {
        replies.get(String(message["token"]))?.({ ok: message["ok"] === true, data: String(message["data"]) });
      }
    }
  });

  let tokens = 0;
  const command = async (name: string, params = ""): Promise<void> => {
    tokens += 1;
    const token = `${tokens}`;
    const reply = new Promise<{ ok: boolean; data: string }>((resolve) => replies.set(token, resolve));
    const json = JSON.stringify({ command: name, params, token });
    control.write(`${Buffer.byteLength(json)}:${json},`);
    const { ok, data } = await within(`baresip to do ${name}`, patienceMs, reply);
    replies.delete(token);
    if (!ok) throw new Error(`baresip could not ${name}: ${data}`);
  };

  return {
    number: options.number,
    port: ports.sip,
    events,
    event: (type, { timeoutMs = patienceMs, from = 0 } = {}) =>
      until(`baresip's ${type}`, () => events.slice(from).find((event) => event.type === type), { timeoutMs }),
    command,
    dial: (uri) => command("dial", uri),
    answer: () => command("accept"),
    hangup: () => command("hangup"),
    digits: () =>
      events
        .filter((event) => event.type === "CALL_DTMF_START")
        .map((event) => String(event["param"]))
        .join(""),
    async hears(frequencies, durationMs) {
      const samples = await newestRecording(recordings);
      const wanted = Math.round((RATE * durationMs) / 1000);
      return samples === undefined || samples.length < wanted
        ? undefined
        : listen(samples.subarray(samples.length - wanted), RATE, frequencies);
    },
    async stop() {
      await phone.stop();
    },
    async kill() {
      phone.signal("SIGKILL");
      await phone.exited;
    },
  };
}
