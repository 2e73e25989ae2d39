// What a person hears who is called in a conference, whichever media server it is at.
import { afterAll, beforeAll, describe, expect } from "vitest";
import { listen } from "../../../dev/audio/goertzel.ts";
import type { Admission, Attendance, FrameKey } from "../../../src/ports/conference.ts";
import {
  attendanceOf,
  conferenceHz as hz,
  frameKeyOf,
  Seats,
  type CallOptions,
  type Codec,
  type ConferenceCall,
  type Name,
} from "../../media/peers/conference-call.ts";
import { startRig, type Rig } from "../../media/peers/rig.ts";
import { test, type Scope } from "../../media/peers/scope.ts";

export interface ConferenceHarness {
  admission(identity: string, room: string): Promise<Admission>;
  /** The server dies without a word, and comes back. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const allHz = Object.values(hz);

export function conferenceContract(start: () => Promise<ConferenceHarness>): void {
  let harness: ConferenceHarness;
  let rig: Rig;
  let count = 0;
  const seats = new Seats(async (identity, room) => harness.admission(identity, room));

  beforeAll(async () => {
    harness = await start();
    rig = await startRig({}, seats);
  });
  afterAll(async () => {
    await rig.engine.stop();
    await harness.stop();
  });

  const newRoom = (): string => {
    count += 1;
    return `room-${count}`;
  };
  const call = async (
    scope: Scope,
    room: string,
    name: Name,
    attendance: Attendance,
    options?: CallOptions,
  ): Promise<ConferenceCall> => seats.call(rig, scope, room, name, attendance, options);
  const hears = async ({ telephone }: ConferenceCall): Promise<number | undefined> =>
    (await telephone.ear.nextSecond(allHz)).hz;

  describe.each(["plain", "encrypted"] as const)("a call that is %s", (kind) => {
    const ownKey = (name: Name): FrameKey | undefined => (kind === "encrypted" ? frameKeyOf(name) : undefined);

    test.for<readonly [Codec, Codec]>([
      ["PCMU", "PCMU"],
      ["PCMA", "PCMU"],
      ["opus", "PCMA"],
      ["G722", "PCMU"],
    ])("is heard both ways, %s here and %s there", async ([here, there], { scope }) => {
      const room = newRoom();
      const alice = await call(scope, room, "alice", attendanceOf(["bob"], ownKey("alice")), { codec: here });
      const bob = await call(scope, room, "bob", attendanceOf(["alice"], ownKey("bob")), { codec: there });
      await Promise.all([alice.fact("media.connected"), bob.fact("media.connected")]);
      expect(await Promise.all([hears(alice), hears(bob)])).toEqual([hz.bob, hz.alice]);
      // What a telephone says in G.711 is never encoded.
      expect(await alice.session.stats()).toMatchObject({ codec: here, a: { lost: 0 } });
      expect((await alice.session.stats()).converted).toEqual(
        {
          PCMU: { a: "opus", b: here, only: "a" },
          PCMA: { a: "opus", b: here, only: "a" },
          G722: { a: "opus", b: here },
          opus: undefined,
        }[here],
      );
      expect((await bob.session.stats()).converted).toEqual({ a: "opus", b: there, only: "a" });
    });
  });

  test("who was rung with SDP as well may answer in a conference", async ({ scope }) => {
    const room = newRoom();
    const alice = await call(scope, room, "alice", attendanceOf(["bob"]), { how: "rung" });
    const bob = await call(scope, room, "bob", attendanceOf(["alice"]), { how: "rung" });
    expect(await Promise.all([hears(alice), hears(bob)])).toEqual([hz.bob, hz.alice]);
    expect(alice.facts).toEqual([{ kind: "media.connected" }]);
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
    await expect.poll(async () => share("bob")).toBeGreaterThan(0.3);
    await expect.poll(async () => share("carol")).toBeGreaterThan(0.3);
    await bob.session.close();
    await expect.poll(async () => share("carol")).toBeGreaterThan(10);
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

  test("people who are heard at different servers hear each other, and again after both were lost", async ({
    scope,
  }) => {
    const [home, abroad] = [newRoom(), newRoom()];
    const alice = await call(scope, home, "alice", attendanceOf(["bob"], frameKeyOf("alice"), abroad));
    const bob = await call(scope, abroad, "bob", attendanceOf(["alice"], frameKeyOf("bob"), home));
    expect(await Promise.all([hears(alice), hears(bob)])).toEqual([hz.bob, hz.alice]);
    await harness.restart();
    await expect.poll(() => Math.min(alice.seat.admissions, bob.seat.admissions)).toBeGreaterThan(3);
    expect(await Promise.all([hears(alice), hears(bob)])).toEqual([hz.bob, hz.alice]);
    expect(alice.facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
    await bob.session.close();
    await alice.fact("media.closed");
  });

  test("nobody is heard at a server where they do not belong", async ({ scope }) => {
    const [home, abroad] = [newRoom(), newRoom()];
    const alice = await call(scope, home, "alice", attendanceOf(["bob"], undefined, abroad));
    const bob = await call(scope, home, "bob", attendanceOf(["alice"]));
    await bob.fact("media.connected");
    expect(await hears(bob)).toBe(hz.alice);
    expect(alice.telephone.ear.packets).toEqual([]);
    alice.seat.change(attendanceOf(["bob"]));
    expect(await hears(alice)).toBe(hz.bob);
  });

  test("frames with a key that has not come are dropped until it comes", async ({ scope }) => {
    const room = newRoom();
    const keyless = { participants: [{ identity: "bob", keys: [frameKeyOf("bob", 1)] }], ownKey: frameKeyOf("alice") };
    const alice = await call(scope, room, "alice", keyless);
    const bob = await call(scope, room, "bob", attendanceOf(["alice"], frameKeyOf("bob")));
    expect(await hears(bob)).toBe(hz.alice);
    expect(alice.telephone.ear.packets).toEqual([]);
    alice.seat.change(attendanceOf(["bob"], frameKeyOf("alice")));
    expect(await hears(alice)).toBe(hz.bob);
  });

  test("a server that dies and comes back is entered again, and everybody is heard again", async ({ scope }) => {
    const room = newRoom();
    const alice = await call(scope, room, "alice", attendanceOf(["bob"]));
    const bob = await call(scope, room, "bob", attendanceOf(["alice"]));
    expect(await Promise.all([hears(alice), hears(bob)])).toEqual([hz.bob, hz.alice]);
    await harness.restart();
    await expect.poll(() => Math.min(alice.seat.admissions, bob.seat.admissions)).toBeGreaterThan(1);
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
