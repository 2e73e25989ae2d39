// An end that takes part in a conference: a media server stands between, which speaks no SDP with us about the call. To the
// exchange it is a client that has Opus alone, as all clients of MatrixRTC send it, and no keys: nobody there could be told any.
import type { MediaDescription } from "../../core/media-description.ts";
import type { Description } from "../../core/sdp/description.ts";
import { offeredCodecs, opusName } from "../../core/sdp/format.ts";
import { seatIn, type ConferenceAccess, type Seat } from "../../ports/conference.ts";
import type { RemoteEnd } from "../../ports/media-engine.ts";
import { MediaError } from "../../ports/media.ts";
import type { NegotiatedEnd, Reply, Wording } from "./negotiated-end.ts";
import { wordless } from "./wordless.ts";

/** It is heard and spoken to by whatever joins the conference, so that nobody is ever on hold in it. */
const participant: Description = wordless(offeredCodecs([opusName]));

/** Telephones of other bridges may be heard in it as they came. */
const unasked = offeredCodecs(["PCMU", "PCMA"]);

export class ConferenceNegotiation implements NegotiatedEnd {
  readonly unasked = unasked;
  readonly #access: ConferenceAccess;
  /** `named`: by the end's last word; the engine has not been told. */
  #seat: { readonly state: "none" } | { readonly state: "named" | "taken"; readonly seat: Seat } = { state: "none" };

  constructor(access: ConferenceAccess) {
    this.#access = access;
  }

  async read(description: MediaDescription): Promise<Description> {
    const id = seatIn(description);
    if (id === undefined) throw new MediaError("bad-description", "no seat in a conference");
    if (this.#seat.state === "taken") return participant;
    const seat = this.#access.seat(id);
    await seat.check();
    this.#seat = { state: "named", seat };
    return participant;
  }

  /** There is nobody to write to: what the conference has to know, it is told on the way in. */
  async write(turn: Parameters<NegotiatedEnd["write"]>[0]): Promise<Wording> {
    return { sdp: "", ...(turn.kind === "answer" ? { remote: this.#take() } : {}) };
  }

  prepare(): void {
    // Entering takes a fifth of a second, and whoever enters is seen: not before the telephone has answered.
  }

  arrive(voices: readonly string[]): RemoteEnd | undefined {
    return this.#take(voices);
  }

  take(): Reply {
    return { remote: this.#take(), taken: () => undefined };
  }

  /** Once: the seat stays ours. */
  #take(voices: readonly string[] = []): RemoteEnd | undefined {
    if (this.#seat.state !== "named") return undefined;
    const { seat } = this.#seat;
    this.#seat = { state: "taken", seat };
    return { kind: "conference", seat, voices };
  }
}
