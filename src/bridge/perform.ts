// Carries out a call's orders through the ports, and turns what they bring into facts. Decides nothing.
import type { CallEffect } from "../core/call/effect.ts";
import type { CallFact } from "../core/call/event.ts";
import type { MatrixLeg } from "../core/call/matrix-leg.ts";
import { noMediaStats } from "../core/call/media-stats.ts";
import type { Call } from "../core/call/call.ts";
import type { CallId, TrunkName } from "../core/ids.ts";
import { HomeserverError, type Homeserver } from "../ports/homeserver.ts";
import { MediaError, type MediaEngine, type MediaSession, type TrunkMedia } from "../ports/media.ts";
import type { SipTrunks } from "../ports/sip.ts";
import type { Log } from "../ports/telemetry.ts";
import { iceServersFor, type IceDirectory } from "./ice-servers.ts";

export interface PerformParts {
  readonly homeserver: Homeserver;
  readonly media: MediaEngine;
  readonly sip: SipTrunks;
  readonly ice: IceDirectory;
  /** How RTP to a trunk has to look. */
  readonly trunkMedia: (trunk: TrunkName) => TrunkMedia;
}

/** The call on whose behalf orders are carried out, and where facts go that come without being waited for. */
export interface Ordering {
  readonly id: CallId;
  readonly call: Call;
  readonly log: Log;
  post(fact: CallFact): Promise<void>;
}

/** Orders that go through a port; the runner itself keeps deadlines, notes and history. */
type PortEffect = Extract<CallEffect, { kind: `media.${string}` | `sip.${string}` | `matrix.${string}` }>;

/** Carries out one order; the fact it brings, if it brings one. */
export type Orders = (effect: PortEffect) => Promise<CallFact | undefined>;

export function ordersFor(ordering: Ordering, parts: PerformParts): Orders {
  const { id } = ordering;
  const media = mediaOrders(ordering, parts);
  return async (effect) => {
    if (isMediaEffect(effect)) return media(effect);
    if (isMatrixEffect(effect)) return tellPerson(effect, parts.homeserver, ordering.log);
    tellTrunk(effect, id, parts.sip);
    return undefined;
  };
}

type MediaEffect = Extract<PortEffect, { kind: `media.${string}` }>;
type MatrixEffect = Extract<PortEffect, { kind: `matrix.${string}` }>;
type SipEffect = Extract<PortEffect, { kind: `sip.${string}` }>;

function isMediaEffect(effect: PortEffect): effect is MediaEffect {
  return effect.kind.startsWith("media.");
}
function isMatrixEffect(effect: PortEffect): effect is MatrixEffect {
  return effect.kind.startsWith("matrix.");
}

function tellTrunk(effect: SipEffect, call: CallId, sip: SipTrunks): void {
  switch (effect.kind) {
    case "sip.invite":
      return sip.invite(call, {
        trunk: effect.trunk,
        target: effect.target,
        identity: effect.identity,
        sdp: effect.sdp,
      });
    case "sip.cancel":
      return sip.cancel(call, effect.q850);
    case "sip.bye":
      return sip.bye(call, effect.q850);
    case "sip.ring":
      return sip.ring(call, effect.status);
    case "sip.accept":
      return sip.accept(call, effect.sdp);
    case "sip.reject":
      return sip.reject(call, effect.status, effect.q850);
    case "sip.dismiss":
      return sip.dismiss(call, effect.incoming, effect.status);
    case "sip.info":
      return sip.info(call, effect.digit, effect.durationMs);
    case "sip.refer":
      return sip.refer(call, effect.target, effect.replaces);
    case "sip.replace": {
      const { trunk, target, identity, sdp, replaces } = effect;
      return sip.replace(call, { trunk, target, identity, sdp, replaces });
    }
    case "sip.refuseRefer":
      return sip.refuseRefer(call, effect.status);
    case "sip.reoffer":
      return sip.reoffer(call, effect.sdp);
    case "sip.answerReoffer":
      return sip.answerReoffer(call, effect.sdp);
    case "sip.refuseReoffer":
      return sip.refuseReoffer(call, effect.status);
    case "sip.resume":
      return sip.resume(call, effect.dialog);
    case "sip.abandon":
      return sip.abandon(call, effect.invite);
  }
}

async function tellPerson(effect: MatrixEffect, homeserver: Homeserver, log: Log): Promise<CallFact | undefined> {
  try {
    if (effect.kind === "matrix.notice") {
      await homeserver.notice(effect.leg.room, effect.leg.ghost, effect.text);
      return undefined;
    }
    await homeserver.signal(effect.leg, effect.signal);
    return { kind: "matrix.told", signal: effect.signal.kind, room: effect.leg.room };
  } catch (error) {
    if (!(error instanceof HomeserverError)) throw error;
    log.warn("person could not be told", { order: effect.kind, code: error.code, error });
    // A notice is a courtesy.
    if (effect.kind === "matrix.notice") return undefined;
    return { kind: "matrix.unreachable", signal: effect.signal.kind, room: effect.leg.room, message: error.message };
  }
}

/** The one holder of a call's media session. */
function mediaOrders(ordering: Ordering, parts: PerformParts): (effect: MediaEffect) => Promise<CallFact | undefined> {
  let session: MediaSession | undefined;

  const open = async (): Promise<MediaSession> => {
    const { trunk, leg } = ordering.call;
    if (trunk === undefined) throw new Error("media ordered for a call without a trunk");
    const iceServers = await iceServersFor(leg.ghost, parts.ice, ordering.log);
    return parts.media.open(
      { call: ordering.id, iceServers, trunk: parts.trunkMedia(trunk.name) },
      (report) => void ordering.post(report),
    );
  };
  const opened = (): MediaSession => {
    if (session === undefined) throw new MediaError("engine", "no media session is open");
    return session;
  };

  const negotiate = async (effect: Exclude<MediaEffect, { kind: "media.release" }>): Promise<CallFact | undefined> => {
    switch (effect.kind) {
      case "media.offer": {
        session ??= await open();
        const outcome = await session.offer(effect.from, effect.sdp);
        const kind = outcome.kind === "forward" ? "media.offered" : "media.settled";
        return { kind, from: effect.from, sdp: outcome.sdp };
      }
      case "media.answer":
        return { kind: "media.answered", from: effect.from, sdp: await opened().answer(effect.from, effect.sdp) };
      case "media.settle":
        return { kind: "media.settled", from: effect.from, sdp: await opened().settle(effect.from) };
      case "media.describe":
        session ??= await open();
        return { kind: "media.described", side: effect.side, sdp: await session.describe(effect.side) };
      case "media.cross":
        return { kind: "media.crossed", ...(await opened().cross(effect.sdp)) };
      case "media.dtmf":
        session?.sendDtmf(effect.to, effect.digit, effect.durationMs);
        return undefined;
      case "media.candidates":
        session?.addCandidates(effect.candidates);
        return undefined;
    }
  };

  return async (effect) => {
    if (effect.kind === "media.release") {
      const stats = session === undefined ? noMediaStats : await session.close();
      session = undefined;
      return { kind: "media.released", stats };
    }
    try {
      return await negotiate(effect);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      ordering.log.warn("media refused", { order: effect.kind, code: error.code, error });
      const from =
        effect.kind === "media.offer" || effect.kind === "media.answer" || effect.kind === "media.settle"
          ? effect.from
          : "trunk";
      return { kind: "media.refused", from, fault: error.code, message: error.message };
    }
  };
}
