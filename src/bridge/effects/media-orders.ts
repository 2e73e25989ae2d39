// Holds a call's media session: opens it, gives it descriptions, releases it. A call that goes on to another trunk gets
// a new session there; the old one is not heard any more.
import type { CallOrder } from "../../core/call/model/order.ts";
import type { CallFact } from "../../core/call/model/fact.ts";
import type { MediaSide } from "../../core/call/model/media-side.ts";
import { noMediaStats } from "../../core/call/model/media-stats.ts";
import type { CallId, TrunkName } from "../../core/ids.ts";
import {
  MediaError,
  type MediaEngine,
  type MediaSession,
  type MediaSessionOptions,
  type TrunkMedia,
} from "../../ports/media.ts";
import { iceServersFor, type IceDirectory } from "./ice-servers.ts";
import type { OrderContext } from "./order-context.ts";

export interface MediaLegs {
  /** The id of the leg's media, which stays the same in whichever call its far end goes on. */
  mediaLegOf(call: CallId): CallId;
}

export interface MediaParts {
  readonly media: MediaEngine;
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
      { call: context.id, ...(await sidesOf(context, parts, legs)) },
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
        const outcome = await session.offer(order.from, order.sdp);
        const kind = outcome.kind === "forward" ? "media.offered" : "media.settled";
        return { kind, from: order.from, sdp: outcome.sdp, untold: session.untold };
      }
      case "media.answer": {
        const sdp = await opened().answer(order.from, order.sdp);
        return { kind: "media.answered", from: order.from, sdp, untold: session?.untold };
      }
      case "media.settle": {
        const sdp = await opened().settle(order.from);
        return { kind: "media.settled", from: order.from, sdp, untold: session?.untold };
      }
      case "media.describe": {
        session ??= await open();
        const sdp = await session.describe(order.side);
        return { kind: "media.described", side: order.side, sdp, untold: session.untold };
      }
      case "media.answerGlare": {
        const answers = await opened().cross(order.sdp);
        return { kind: "media.glareAnswered", ...answers, untold: session?.untold };
      }
      case "media.dtmf":
        session?.sendDtmf(order.to, order.digit, order.durationMs);
        return undefined;
      case "media.listen":
        // A session that is gone is reported as that.
        return { kind: "media.listened", unheard: (await session?.unheard().catch(() => [])) ?? [] };
      case "media.handOver":
        await session?.handOver(order.side);
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

function blamed(order: MediaOrder): MediaSide {
  switch (order.kind) {
    case "media.offer":
    case "media.answer":
    case "media.settle":
      return order.from;
    case "media.answerGlare":
      return "matrix";
    default:
      return "trunk";
  }
}

/** What stands at the two sides: a client and a trunk, or of a joined call two trunks, leg B at the trunk's side. */
async function sidesOf(
  { call, log }: OrderContext,
  { ice, trunkMedia }: MediaParts,
  legs: MediaLegs,
): Promise<Omit<MediaSessionOptions, "call">> {
  switch (call.phase) {
    case "joining":
    case "joined":
      return {
        iceServers: [],
        trunk: trunkMedia(call.b.trunk.name),
        matrix: trunkMedia(call.a.trunk.name),
        legs: { trunk: legs.mediaLegOf(call.b.call), matrix: legs.mediaLegOf(call.a.call) },
      };
    default: {
      // The ghost's TURN credentials are as good as any of ours.
      const ghost = "ghost" in call ? call.ghost : call.leg?.ghost;
      if (call.trunk === undefined || ghost === undefined)
        throw new Error(`media ordered for a call that is ${call.phase}`);
      return {
        iceServers: await iceServersFor(ghost, ice, log),
        trunk: trunkMedia(call.trunk.name),
        legs: { trunk: legs.mediaLegOf(call.id) },
      };
    }
  }
}
