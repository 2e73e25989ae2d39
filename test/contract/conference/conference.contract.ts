// What a person hears who is called in a conference, whichever media server it is at: each call here has its person's end at
// the server and a telephone at the other, so that the persons of two calls in one room are each other's telephones.
import { afterAll, beforeAll, describe, expect, vi } from "vitest";
import { listen } from "../../../dev/audio/goertzel.ts";
import { callId } from "../../../src/core/ids.ts";
import type { LegForm } from "../../../src/core/call/model/matrix-leg.ts";
import {
  seatDescription,
  type Admission,
  type Attendance,
  type FrameKey,
  type Seat,
  type SeatId,
} from "../../../src/ports/conference.ts";
import { startRig, type OpenSession, type Rig } from "../../media/peers/rig.ts";
import { test, type Scope } from "../../media/peers/scope.ts";
import { TrunkPeer } from "../../media/peers/trunk-peer.ts";

export interface ConferenceHarness {
  admission(identity: string, room: string): Promise<Admission>;
  /** The server dies without a word, and comes back. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const hz = { alice: 440, bob: 1000, carol: 1640 } as const;
type Name = keyof typeof hz;
const allHz = Object.values(hz);
const wait = { timeout: 10_000 };
const form = { kind: "rtc", media: "own" } as LegForm;

const keyOf = (name: Name, round = 0): FrameKey => ({
  index: allHz.indexOf(hz[name]) + round,
  secret: new Uint8Array(16).fill(allHz.indexOf(hz[name]) + 10 * round + 1),
});

/** A place in a room, of whose members the test decides. */
class TestSeat implements Seat {
  admissions = 0;
  #attendance: Attendance;
  readonly #admit: () => Promise<Admission>;
  readonly #listeners = new Set<(attendance: Attendance) => void>();

  constructor(attendance: Attendance, admit: () => Promise<Admission>) {
    this.#attendance = attendance;
    this.#admit = admit;
  }

  get isTaken(): boolean {
    return this.#listeners.size > 0;
  }

  async admit(): Promise<Admission> {
    this.admissions += 1;
    return this.#admit();
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

interface Call extends OpenSession {
  readonly telephone: TrunkPeer;
  readonly seat: TestSeat;
}

const attendanceOf = (members: readonly Name[], own?: FrameKey): Attendance => ({
  participants: members.map((identity) => ({ identity, keys: own === undefined ? [] : [keyOf(identity)] })),
  ownKey: own,
});

export function conferenceContract(start: () => Promise<ConferenceHarness>): void {
  let harness: ConferenceHarness;
  let rig: Rig;
  let count = 0;
  const seats = new Map<SeatId, TestSeat>();
  const access = {
    seat: (id: SeatId): Seat => {
      const found = seats.get(id);
      if (found === undefined) throw new Error("no such seat");
      return found;
    },
  };

  beforeAll(async () => {
    harness = await start();
    rig = await startRig({}, access);
  });
  afterAll(async () => {
    await rig.engine.stop();
    await harness.stop();
  });

  const newRoom = (): string => {
    count += 1;
    return `room-${count}`;
  };

  /** A call of `name` with a telephone that plays their tone; both have said where they are. */
  async function call(scope: Scope, room: string, name: Name, attendance: Attendance): Promise<Call> {
    const telephone = await TrunkPeer.open({ hz: hz[name] });
    scope.add(async () => telephone.close());
    const id = `${room} ${name}` as SeatId;
    const seat = new TestSeat(attendance, async () => harness.admission(name, room));
    seats.set(id, seat);
    const leg = callId(id);
    const media = { srtp: "off", codecs: ["PCMU"], rtpNetworks: [] } as const;
    const open = await rig.openEnds(leg, { a: { kind: "leg", form }, b: { kind: "trunk", media, leg } });
    scope.add(async () => open.session.close());
    const outcome = await open.session.offer("a", seatDescription(id));
    telephone.aim(outcome.description);
    await open.session.answer("b", telephone.sdp());
    telephone.speak();
    return { ...open, telephone, seat };
  }

  const hears = async ({ telephone }: Call): Promise<number | undefined> => (await telephone.ear.nextSecond(allHz)).hz;

  describe.each(["plain", "encrypted"] as const)("a call that is %s", (kind) => {
    const ownKey = (name: Name): FrameKey | undefined => (kind === "encrypted" ? keyOf(name) : undefined);

    test("is heard both ways", async ({ scope }) => {
      const room = newRoom();
      const alice = await call(scope, room, "alice", attendanceOf(["bob"], ownKey("alice")));
      const bob = await call(scope, room, "bob", attendanceOf(["alice"], ownKey("bob")));
      await Promise.all([alice.fact("media.connected"), bob.fact("media.connected")]);
      expect(await Promise.all([hears(alice), hears(bob)])).toEqual([hz.bob, hz.alice]);
      expect(await alice.session.stats()).toMatchObject({ converted: { a: "opus", b: "PCMU" }, a: { lost: 0 } });
    });
  });

  test("of several in it everybody is heard at once, and each again alone when the others are gone", async ({
    scope,
  }) => {
    const room = newRoom();
    const alice = await call(scope, room, "alice", attendanceOf(["bob", "carol"]));
    const bob = await call(scope, room, "bob", attendanceOf(["alice"]));
    const carol = await call(scope, room, "carol", attendanceOf(["alice"]));
    await Promise.all([bob.fact("media.connected"), carol.fact("media.connected")]);
    const share = async (name: Name): Promise<number> => {
      await alice.telephone.ear.nextSecond(allHz);
      return listen(alice.telephone.ear.samples, 8000, [hz[name]]).ratio;
    };
    await expect.poll(async () => share("bob"), wait).toBeGreaterThan(0.3);
    await expect.poll(async () => share("carol"), wait).toBeGreaterThan(0.3);
    await bob.session.close();
    await expect.poll(async () => share("carol"), wait).toBeGreaterThan(10);
    expect(alice.facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
  });

  test("who does not belong to the call is not heard", async ({ scope }) => {
    const room = newRoom();
    const alice = await call(scope, room, "alice", attendanceOf(["bob"]));
    const carol = await call(scope, room, "carol", attendanceOf(["alice"]));
    await carol.fact("media.connected");
    // She is at the server: she hears, and is not heard.
    expect(await hears(carol)).toBe(hz.alice);
    expect(alice.telephone.ear.packets).toEqual([]);
    alice.seat.change(attendanceOf(["carol"]));
    expect(await hears(alice)).toBe(hz.carol);
  });

  test("frames with a key that has not come are dropped until it comes", async ({ scope }) => {
    const room = newRoom();
    const keyless = { participants: [{ identity: "bob", keys: [keyOf("bob", 1)] }], ownKey: keyOf("alice") };
    const alice = await call(scope, room, "alice", keyless);
    const bob = await call(scope, room, "bob", attendanceOf(["alice"], keyOf("bob")));
    expect(await hears(bob)).toBe(hz.alice);
    expect(alice.telephone.ear.packets).toEqual([]);
    alice.seat.change(attendanceOf(["bob"], keyOf("alice")));
    expect(await hears(alice)).toBe(hz.bob);
  });

  test("a server that dies and comes back is entered again, and everybody is heard again", async ({ scope }) => {
    const room = newRoom();
    const alice = await call(scope, room, "alice", attendanceOf(["bob"]));
    const bob = await call(scope, room, "bob", attendanceOf(["alice"]));
    expect(await Promise.all([hears(alice), hears(bob)])).toEqual([hz.bob, hz.alice]);
    await harness.restart();
    await vi.waitFor(() => expect(Math.min(alice.seat.admissions, bob.seat.admissions)).toBeGreaterThan(1), 15_000);
    expect(await Promise.all([hears(alice), hears(bob)])).toEqual([hz.bob, hz.alice]);
    expect(alice.facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
  });

  test("whoever is gone from the server, and has not hung up, has closed the call", async ({ scope }) => {
    const room = newRoom();
    const alice = await call(scope, room, "alice", attendanceOf(["bob"]));
    const bob = await call(scope, room, "bob", attendanceOf(["alice"]));
    await hears(alice);
    await bob.session.close();
    expect(bob.seat.isTaken).toBe(false);
    await alice.fact("media.closed");
  });
}
