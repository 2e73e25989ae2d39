// A real Chromium with the test telephone in it: one person, one microphone that plays a tone.
import { mkdir, writeFile } from "node:fs/promises";
import { chromium, type Page } from "playwright-core";
import { patienceMs } from "../../../../dev/loopback/patience.ts";
import { tone } from "../../../../dev/audio/tone.ts";
import { encodeWav } from "../../../../dev/audio/wav.ts";
import type { CallReport, ClientEncryption, Phone, RoomMessage } from "../../page/api.ts";
import type { ElementCall } from "../../page/element-call/api.ts";
import type { RtcPhone } from "../../page/rtc/api.ts";
import { CHROMIUM } from "../../setup/versions.ts";
import type { Hearing } from "../base/hearing.ts";
import { bundlePage, servePage } from "./page-server.ts";
import type { Rig } from "../base/rig.ts";
import type { Account } from "../homeservers/real-homeserver.ts";
import { until } from "../base/until.ts";

const RATE = 48_000;

const FLAGS = [
  "--no-sandbox", // as root, in a container
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
  // A microphone that is granted makes host candidates plain addresses; loopback ones have to be asked for.
  "--allow-loopback-in-peer-connection",
];

export interface BrowserOptions {
  readonly homeserver: string;
  readonly account: Account;
  /** The tone its microphone plays, in Hz. */
  readonly toneHz: number;
  /** None unless said. */
  readonly encryption?: ClientEncryption;
  /** It has no other codec than Opus, as some clients. */
  readonly opusAlone?: boolean;
}

/** Runs in the page, before all else: the browser neither offers another codec nor sees one that it is offered. */
const leaveOpusAlone = `
  const { codecs } = RTCRtpReceiver.getCapabilities("audio");
  const kept = codecs.filter(({ mimeType }) => /^audio\\/(opus|telephone-event)$/i.test(mimeType));
  const { prototype } = RTCPeerConnection;
  const { createOffer, setRemoteDescription } = prototype;
  prototype.createOffer = function (...given) {
    for (const transceiver of this.getTransceivers())
      if (transceiver.receiver.track.kind === "audio") transceiver.setCodecPreferences(kept);
    return createOffer.apply(this, given);
  };
  prototype.setRemoteDescription = function ({ type, sdp }) {
    const numbers = new Set(Array.from(sdp.matchAll(/a=rtpmap:(\\d+) (?:opus|telephone-event)/g), ([, number]) => number));
    const own = sdp.replace(/^(m=audio \\d+ \\S+)((?: \\d+)+)/m, (_line, start, all) =>
      start + all.split(" ").filter((number) => number === "" || numbers.has(number)).join(" "));
    return setRemoteDescription.call(this, { type, sdp: own });
  };
`;

/** What lives on the page's `window` under a name, asked from here: each of its functions, as a promise. */
type Remote<Api> = {
  [Name in keyof Api]: Api[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

const remote = <Api extends object>(page: Page, where: string): Remote<Api> =>
  new Proxy({} as Remote<Api>, {
    get:
      (_target, name) =>
      async (...args: unknown[]): Promise<unknown> =>
        await page.evaluate(
          async ([object, method, parameters]) => {
            const apis = globalThis as unknown as Record<string, Record<string, (...args: unknown[]) => unknown>>;
            return await apis[object]?.[method]?.(...parameters);
          },
          [where, String(name), args] as const,
        ),
  });

export interface Browser {
  readonly userId: string;
  readonly deviceId: string;
  readonly phone: Remote<Phone>;
  /** Its MatrixRTC calls. */
  readonly rtc: Remote<RtcPhone>;
  /** The same by the real Element Call. */
  readonly elementCall: Remote<ElementCall>;
  readonly page: Page;
  /** The newest call, or the one of that id. */
  report(matrixCallId?: string): Promise<CallReport>;
  /** The newest call when it is in one of these states. */
  inState(state: string | readonly string[], timeoutMs?: number): Promise<CallReport>;
  /** An incoming call, when it rings; not one of those before. */
  ringing(timeoutMs?: number): Promise<CallReport>;
  /** What the far side plays: see {@link Hearing}. */
  readonly hears: Hearing;
  /** The first message that matches, when it is there. */
  message(pattern: RegExp, timeoutMs?: number): Promise<RoomMessage>;
  /** The page is gone at once, and says nothing any more. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a browser and logs its person in; it ends with the rig. */
export async function startBrowser(rig: Rig, options: BrowserOptions): Promise<Browser> {
  const { account } = options;
  const folder = rig.path(`browser-${account.user}`);
  await mkdir(folder, { recursive: true });
  // Whole seconds: the file is played over and over, and the tone goes on without a click.
  const microphone = rig.path(`microphone-${options.toneHz}.wav`);
  await writeFile(microphone, encodeWav(tone(options.toneHz, RATE, 10_000), RATE));

  const log = rig.log(`browser-${account.user}`);
  const server = await servePage(await bundlePage());
  rig.defer("page server", () => server.stop());
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: CHROMIUM,
    headless: true,
    args: [...FLAGS, `--use-file-for-fake-audio-capture=${microphone}`],
    permissions: ["microphone", "camera"],
  });
  rig.defer("Chromium", () => context.close());
  const page = context.pages()[0] ?? (await context.newPage());
  page.on("console", (message) => log.append(`${message.type()}: ${message.text()}\n`));
  page.on("pageerror", (error) => log.append(`page error: ${error.stack ?? error.message}\n`));
  page.on("crash", () => log.append("[the page crashed]\n"));
  if (options.opusAlone === true) await page.addInitScript({ content: leaveOpusAlone });
  await page.goto(server.url);
  await page.waitForFunction(() => "phone" in globalThis);

  const phone = remote<Phone>(page, "phone");
  const rtc = remote<RtcPhone>(page, "rtcPhone");
  const elementCall = remote<ElementCall>(page, "elementCall");
  const { userId, deviceId } = await phone.login({
    homeserver: options.homeserver,
    user: account.user,
    password: account.password,
    encryption: options.encryption ?? "none",
    ...(account.delegated === true && { session: account }),
  });

  const report = async (matrixCallId?: string): Promise<CallReport> => {
    const calls = await phone.calls();
    const call = matrixCallId === undefined ? calls.at(-1) : calls.find((each) => each.matrixCallId === matrixCallId);
    if (call === undefined) throw new Error(`${userId} has no such call`);
    return call;
  };
  let rung = new Set<string>();

  return {
    userId,
    deviceId,
    phone,
    rtc,
    elementCall,
    page,
    report,
    async inState(state, timeoutMs = patienceMs) {
      const wanted = typeof state === "string" ? [state] : state;
      let last: CallReport | undefined;
      try {
        return await until(
          `the call to be ${wanted.join(" or ")}`,
          async () => {
            last = await report();
            return wanted.includes(last.state) && last;
          },
          { timeoutMs },
        );
      } catch (cause) {
        throw new Error(`the call was last seen as ${JSON.stringify(last)}`, { cause });
      }
    },
    async ringing(timeoutMs = patienceMs) {
      const call = await until(
        "an incoming call",
        async () => (await phone.calls()).find((each) => each.state === "ringing" && !rung.has(each.matrixCallId)),
        { timeoutMs },
      );
      rung = rung.add(call.matrixCallId);
      return call;
    },
    hears: (frequencies, durationMs) => phone.heard(frequencies, durationMs),
    message: (pattern, timeoutMs = patienceMs) =>
      until(
        `a message like ${String(pattern)}`,
        async () => (await phone.messages()).find(({ body }) => pattern.test(body)),
        {
          timeoutMs,
        },
      ),
    async crash() {
      const crashed = page.waitForEvent("crash");
      // The page never comes.
      await Promise.all([crashed, page.goto("chrome://crash").catch(() => undefined)]);
    },
    stop: () => context.close(),
  };
}
