// The media of scenarios: the real negotiation above an engine that carries nothing. It notes what it is asked,
// descriptions by their names.
import type { CallId } from "../../src/core/ids.ts";
import { conversions } from "../../src/media/embedded/codec/conversions.ts";
import { createCallMedia } from "../../src/media/negotiation/negotiation.ts";
import type { CallMedia, MediaHealth, MediaReport, MediaSession, MediaSessionOptions } from "../../src/ports/media.ts";
import { nameOf } from "./descriptions.ts";
import type { EngineEnd } from "../../src/ports/media-engine.ts";
import { FakeMediaEngine } from "./media-engine.ts";
import { FakeTelemetry } from "./telemetry.ts";
import { sdpIn } from "../../src/core/media-description.ts";

/** What may be spoken at an end. */
export function codecsOf(end: EngineEnd): readonly string[] {
  return end.kind === "trunk" ? end.media.codecs : end.kind === "client" ? end.codecs : [];
}

/** Whose dialog is at an end, where a trunk is. */
export function legOf(end: EngineEnd): CallId | undefined {
  return end.kind === "trunk" ? end.leg : undefined;
}

export class NotedMedia implements CallMedia<string> {
  readonly orders: string[] = [];
  /** Set to make an order throw what it never should. */
  defect: Error | undefined;
  readonly engine = new FakeMediaEngine({ conversions });
  readonly #media = createCallMedia(this.engine, new FakeTelemetry().log);

  async start(): Promise<void> {
    await this.#media.start();
  }
  async stop(): Promise<void> {
    await this.#media.stop();
  }
  health(): MediaHealth {
    return this.#media.health();
  }
  forget(leg: CallId): void {
    this.#media.forget(leg);
  }
  async open(options: MediaSessionOptions, report: (fact: MediaReport) => void): Promise<MediaSession<string>> {
    const session = await this.#media.open(options, report);
    const note = (order: string): MediaSession<string> => {
      this.orders.push(order);
      if (this.defect !== undefined) throw this.defect;
      return session;
    };
    return {
      get untold() {
        return session.untold;
      },
      offer: async (from, said) => note(`offer ${from} ${nameOf(sdpIn(said))}`).offer(from, said),
      answer: async (from, said) => note(`answer ${from} ${nameOf(sdpIn(said))}`).answer(from, said),
      settle: async (from) => note(`settle ${from}`).settle(from),
      describe: async (end) => note(`describe ${end}`).describe(end),
      cross: async (from, said) => note(`cross ${from} ${nameOf(sdpIn(said))}`).cross(from, said),
      ring: async (end) => note(`ring ${end}`).ring(end),
      prompt: async (prompt) => note(`prompt ${prompt}`).prompt(prompt),
      sendDtmf: (to, digit, durationMs) => note(`dtmf ${to} ${digit}`).sendDtmf(to, digit, durationMs),
      addCandidates: (candidates) => note(`candidates ${candidates.length}`).addCandidates(candidates),
      stats: async () => session.stats(),
      unheard: async () => session.unheard(),
      handOver: async (end) => note(`hand over ${end}`).handOver(end),
      close: async () => note("close").close(),
    };
  }
}
