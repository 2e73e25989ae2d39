// One call of MatrixRTC in one room, as the bridge takes part in it.
import type { DeviceId, EventId, MatrixCallId, RoomId, UserId } from "../../../core/ids.ts";
import type { SeatId } from "../../../ports/conference.ts";
import type { RtcMembership } from "../../wire/rtc.ts";
import type { Present } from "./room-presence.ts";

/** As what we are in a call. */
export type OwnPlace = Pick<RtcCall, "device" | "memberId">;

/** Those whom we meet in a call: whoever rang us, or all who are there. */
export interface Met {
  readonly present: readonly RtcMembership[];
  /** Where tokens are to be had; undefined: nowhere. */
  readonly service: string | undefined;
}

export interface RtcCall {
  readonly seat: SeatId;
  readonly room: RoomId;
  readonly matrixCallId: MatrixCallId;
  /** As which device we are in it. */
  readonly device: DeviceId;
  /** Of our membership, if that is a sticky one; undefined: it is room state. */
  readonly memberId?: string | undefined;
  /** Who of ours takes part; undefined: whoever of ours is in the room. */
  readonly ghost: UserId | undefined;
  /** By which of the person's devices the bridge knows the call, where another one has taken it over. */
  readonly knownAs?: DeviceId;
  /** Where we meet: the service of the one who called, or ours where we ring. */
  readonly service: string | undefined;
  readonly state:
    /** The person rang us. */
    | { readonly kind: "theirs"; readonly key: string }
    /** We ring; `notifications`: by these. Whoever is named alone may refuse for the whole room. */
    | { readonly kind: "ringing"; readonly named: UserId | undefined; readonly notifications: readonly EventId[] }
    /** These took it, the first one first; the bridge says who has it. */
    | {
        readonly kind: "answered";
        /** Where nobody was named, all in the room were rung: the call lasts as long as anybody is in it. */
        readonly named: UserId | undefined;
        readonly keys: readonly string[];
        readonly first: { readonly user: UserId; readonly device: DeviceId };
        readonly holder: DeviceId | undefined;
        readonly notifications: readonly EventId[];
      };
}

/** Somebody who calls us. */
export function metOf(caller: Present | undefined): Met {
  return { present: caller === undefined ? [] : [caller.membership], service: caller?.membership.services[0] };
}

export function seatOf(room: RoomId, call: MatrixCallId): SeatId {
  return `${room} ${call}` as SeatId;
}

/** Whether this person is rung. */
export function isFor({ state }: RtcCall, person: UserId): boolean {
  return state.kind !== "theirs" && (state.named === undefined || state.named === person);
}

/** Whether this stay in the room's call is what keeps the call alive. */
export function isKeptBy({ state }: RtcCall, { key, device }: RtcMembership): boolean {
  if (state.kind === "theirs") return state.key === key;
  if (state.kind === "ringing" || state.named === undefined) return false;
  return state.holder === undefined ? state.keys[0] === key : state.holder === device && state.keys.includes(key);
}

/**
 * `from` leaves. `next`: the call as another device of the person's goes on with it, if `from` had it and one is there.
 * `device`: the one of theirs by which the bridge knows who has left.
 */
export function departure(call: RtcCall, from: RtcMembership, present: Iterable<Present>) {
  const { state } = call;
  if (!isKeptBy(call, from)) return { next: undefined, device: from.device };
  const { knownAs = from.device } = call;
  const isOther = ({ membership }: Present): boolean => membership.user === from.user && membership.key !== from.key;
  const to = [...present].find(isOther)?.membership;
  const next =
    to !== undefined && state.kind === "theirs"
      ? { ...call, knownAs, state: { ...state, key: to.key } }
      : to !== undefined && state.kind === "answered" && state.holder !== undefined
        ? { ...call, knownAs, state: { ...state, holder: to.device, keys: [...state.keys, to.key] } }
        : undefined;
  return { next, device: knownAs };
}

export function takesPart({ state }: RtcCall, key: string): boolean {
  if (state.kind === "theirs") return state.key === key;
  return state.kind === "answered" && state.keys.includes(key);
}

/** Whether it is a call of all in the room, which lasts as long as anybody of them is in it. */
export function isOfGroup({ state }: RtcCall): boolean {
  return state.kind === "answered" && state.named === undefined;
}
