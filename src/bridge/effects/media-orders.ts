// Holds a call's media session: opens it, gives it descriptions, releases it. A call that goes on to another trunk gets
// a new session there; the old one is not heard any more.
import type { CallOrder } from "../../core/call/model/order.ts";
import type { CallFact } from "../../core/call/model/fact.ts";
import { otherEnd, trunkEnd, type MediaEnd } from "../../core/media-end.ts";
import { noMediaStats } from "../../core/call/model/media-stats.ts";
import { isIn } from "../../core/call/model/call.ts";
import { legOf, trunkLegsOf } from "../../core/call/model/queries.ts";
import type { CallId, TrunkName } from "../../core/ids.ts";
import {
  MediaError,
  type CallMedia,
  type MediaSession,
  type MediaSessionOptions,
  type TrunkEnd,
  type TrunkMedia,
} from "../../ports/media.ts";
import { iceServersFor, type IceDirectory } from "./ice-servers.ts";
import type { OrderContext } from "./order-context.ts";

export interface MediaLegs {
  /** The id of the leg's media, which stays the same in whichever call its far end goes on. */
  mediaLegOf(call: CallId): CallId;
}

export interface MediaParts {
  readonly media: Pick<CallMedia, "open" | "forget">;
  readonly ice: IceDirectory;
  /** How RTP to a trunk has to look. */
  readonly trunkMedia: (trunk: TrunkName) => TrunkMedia;
}

export type MediaOrder = Extract<CallOrder, { kind: `media.${string}` }>;

export function mediaOrders(
  context: OrderContext,
  parts: MediaParts,
  legs: MediaLegs,
): (order: MediaOrder) => Promise<CallFact | undefined> {
  let session: MediaSession | undefined;
  /** Which session is the call's: counts those that were released. */
  let current = 0;

  const open = async (): Promise<MediaSession> => {
    const own = current;
    return parts.media.open(
      { call: context.id, ...(await endsOf(context, parts, legs)) },
      (report) => void (own === current && context.post(report)),
    );
  };
  const opened = (): MediaSession => {
    if (session === undefined) throw new MediaError("engine", "no media session is open");
    return session;
  };

  const negotiate = async (order: Exclude<MediaOrder, { kind: "media.release" }>): Promise<CallFact | undefined> => {
    switch (order.kind) {
      case "media.offer": {
        session ??= await open();
        const outcome = await session.offer(order.from, order.description);
        const kind = outcome.kind === "forward" ? "media.offered" : "media.settled";
        return { kind, from: order.from, description: outcome.description, untold: session.untold };
      }
      case "media.answer": {
        const description = await opened().answer(order.from, order.description);
        return { kind: "media.answered", from: order.from, description, untold: session?.untold };
      }
      case "media.settle": {
        const description = await opened().settle(order.from);
        return { kind: "media.settled", from: order.from, description, untold: session?.untold };
      }
      case "media.describe": {
        session ??= await open();
        const description = await session.describe(order.end);
        return { kind: "media.described", end: order.end, description, untold: session.untold };
      }
      case "media.answerGlare": {
        const answers = await opened().cross(order.from, order.description);
        return { kind: "media.glareAnswered", ...answers, untold: session?.untold };
      }
      case "media.ring":
        await session?.ring(order.end);
        return undefined;
      case "media.prompt":
        await session?.prompt(order.prompt);
        return undefined;
      case "media.dtmf":
        return (await session?.sendDtmf(order.to, order.digit, order.durationMs)) === false ? unsent(order) : undefined;
      case "media.listen":
        // A session that is gone is reported as that.
        return { kind: "media.listened", unheard: (await session?.unheard().catch(() => [])) ?? [] };
      case "media.handOver":
        await session?.handOver(order.end);
        return undefined;
      case "media.candidates":
        session?.addCandidates(order.candidates);
        return undefined;
    }
  };

  return async (order) => {
    if (order.kind === "media.release") {
      const released = session;
      session = undefined;
      current += 1;
      return { kind: "media.released", stats: released === undefined ? noMediaStats : await released.close() };
    }
    try {
      return await negotiate(order);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      context.log.warn("media engine refused an order", { order: order.kind, code: error.code, error });
      return { kind: "media.refused", from: blamed(order), fault: error.code, message: error.message };
    }
  };
}

/** As a key of the other end that could not go on in RTP: the call may know another way. */
function unsent({ to, digit, durationMs }: Extract<MediaOrder, { kind: "media.dtmf" }>): CallFact {
  return { kind: "media.dtmf", from: otherEnd(to), digit, durationMs, relayed: false };
}

function blamed(order: MediaOrder): MediaEnd {
  switch (order.kind) {
    case "media.offer":
    case "media.answer":
    case "media.settle":
    case "media.answerGlare":
      return order.from;
    default:
      return trunkEnd;
  }
}

/** Who is at the Matrix leg and a trunk, or of a joined call two trunks. */
async function endsOf(
  { call, log }: OrderContext,
  { ice, trunkMedia }: MediaParts,
  legs: MediaLegs,
): Promise<Omit<MediaSessionOptions, "call">> {
  const trunkOf = (trunk: TrunkName, leg: CallId): TrunkEnd => ({
    kind: "trunk",
    media: trunkMedia(trunk),
    leg: legs.mediaLegOf(leg),
  });
  const { phase } = call;
  switch (phase.kind) {
    case "joining":
    case "joined":
      return { a: trunkOf(phase.a.name, phase.a.id), b: trunkOf(phase.b.name, phase.b.id) };
    case "picking-up":
    case "keying":
      return { a: { kind: "prompt" }, b: trunkOf(phase.trunk.name, phase.trunk.id) };
    default: {
      const own = isIn(call, "arriving", "alerting") ? { ...call.phase.ring, ghost: call.phase.ghost } : legOf(call);
      const [leg] = trunkLegsOf(call);
      if (leg === undefined || own === undefined) throw new Error(`media ordered for a call that is ${phase.kind}`);
      const trunk = trunkOf(leg.name, leg.id);
      const { form, ghost } = own;
      if (form.media === "own") return { a: { kind: "leg", form }, b: trunk };
      // The ghost's TURN credentials are as good as any of ours.
      const iceServers = await iceServersFor(ghost, ice, log);
      // A client may speak what the trunk may.
      return { a: { kind: "client", iceServers, codecs: trunk.media.codecs }, b: trunk };
    }
  }
}
