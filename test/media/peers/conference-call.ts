// Calls of people who are in conferences: each has its person's end at a media server and a telephone at the other, so that
// the persons of two calls in one room are each other's telephones.
import { callId } from "../../../src/core/ids.ts";
import type { LegForm } from "../../../src/core/call/model/matrix-leg.ts";
import {
  seatDescription,
  type Admission,
  type Attendance,
  type ConferenceAccess,
  type FocusId,
  type FrameKey,
  type Seat,
  type SeatId,
} from "../../../src/ports/conference.ts";
import type { EndOptions, TrunkMedia } from "../../../src/ports/media.ts";
import type { OpenSession, Rig } from "./rig.ts";
import type { Scope } from "./scope.ts";
import { TrunkPeer } from "./trunk-peer.ts";

export const conferenceHz = { alice: 440, bob: 1000, carol: 1640 } as const;
export type Name = keyof typeof conferenceHz;
const allHz = Object.values(conferenceHz);
const form = { kind: "rtc", media: "own" } as LegForm;
/** What a telephone has. */
export type Codec = NonNullable<Parameters<typeof TrunkPeer.open>[0]["codec"]>;
const opusLines = ["a=rtpmap:111 opus/48000/2", "a=sendrecv"];

/** `calls`: the person calls. `rings`: the same, before the telephone has answered. `rung`: the telephone calls, and SDP was rung with too. */
export interface CallOptions {
  readonly how?: "calls" | "rings" | "rung";
  readonly codec?: Codec;
  /** All that the trunk may speak, if it is more. */
  readonly codecs?: readonly Codec[];
}

/** What that one encrypts with. `round`: a later key. */
export function frameKeyOf(name: Name, round = 0): FrameKey {
  const place = allHz.indexOf(conferenceHz[name]);
  return { index: place + round, secret: new Uint8Array(16).fill(place + 10 * round + 1) };
}

/** `elsewhere`: the room of a server where they are, if it is not ours. */
export function attendanceOf(members: readonly Name[], own?: FrameKey, elsewhere?: string): Attendance {
  const focus = elsewhere as FocusId | undefined;
  return {
    participants: members.map((identity) => ({
      identity,
      focus,
      keys: own === undefined ? [] : [frameKeyOf(identity)],
    })),
    ownKey: own,
  };
}

/** A place in a room, of whose members the test decides. */
class TestSeat implements Seat {
  admissions = 0;
  /** Whether it was said that anybody of the call is there. */
  readonly meetings: boolean[] = [];
  #attendance: Attendance;
  readonly #admit: (focus: FocusId | undefined) => Promise<Admission>;
  readonly #listeners = new Set<(attendance: Attendance) => void>();

  constructor(attendance: Attendance, admit: (focus: FocusId | undefined) => Promise<Admission>) {
    this.#attendance = attendance;
    this.#admit = admit;
  }

  get isTaken(): boolean {
    return this.#listeners.size > 0;
  }

  async check(): Promise<void> {
    // Whoever tests the engine has a place.
  }

  async admit(focus?: FocusId): Promise<Admission> {
    this.admissions += 1;
    return this.#admit(focus);
  }

  met(isAnybody: boolean): void {
    this.meetings.push(isAnybody);
  }

  attend(changed: (attendance: Attendance) => void): () => void {
    this.#listeners.add(changed);
    changed(this.#attendance);
    return () => void this.#listeners.delete(changed);
  }

  change(attendance: Attendance): void {
    this.#attendance = attendance;
    for (const changed of this.#listeners) changed(attendance);
  }
}

export interface ConferenceCall extends OpenSession {
  readonly telephone: TrunkPeer;
  /** What it says of itself. */
  readonly sdp: string;
  readonly seat: TestSeat;
}

/** All seats of a test, for its rig. */
export class Seats implements ConferenceAccess {
  readonly #admit: (identity: string, room: string) => Promise<Admission>;
  readonly #seats = new Map<SeatId, TestSeat>();

  constructor(admit: (identity: string, room: string) => Promise<Admission>) {
    this.#admit = admit;
  }

  seat(id: SeatId): Seat {
    const found = this.#seats.get(id);
    if (found === undefined) throw new Error("no such seat");
    return found;
  }

  /** A call of `name`, up on both ends but for the conference. */
  async call(
    rig: Rig,
    scope: Scope,
    room: string,
    name: Name,
    attendance: Attendance,
    { how = "calls", codec = "PCMU", codecs = [codec] }: CallOptions = {},
  ): Promise<ConferenceCall> {
    const telephone = await TrunkPeer.open({ hz: conferenceHz[name], codec });
    const sdp = telephone.sdp(codec === "opus" ? { formats: "111", lines: opusLines } : {});
    const media: TrunkMedia = { srtp: "off", codecs, rtpNetworks: [] };
    scope.add(async () => telephone.close());
    const id = `${room} ${name}` as SeatId;
    const seat = new TestSeat(attendance, async (focus = room as FocusId) => this.#admit(name, focus));
    this.#seats.set(id, seat);
    const leg = callId(id);
    const person: EndOptions = how === "rung" ? { kind: "client", iceServers: [], codecs } : { kind: "leg", form };
    const open = await rig.openEnds(leg, { a: person, b: { kind: "trunk", media, leg } });
    scope.add(async () => open.session.close());
    if (how !== "rung") {
      const outcome = await open.session.offer("a", seatDescription(id));
      telephone.aim(outcome.description);
      if (how === "rings") await open.session.ring("a");
      else await open.session.answer("b", sdp);
    } else {
      await open.session.offer("b", sdp);
      telephone.aim(await open.session.answer("a", seatDescription(id)));
    }
    telephone.speak();
    return { ...open, telephone, sdp, seat };
  }
}
