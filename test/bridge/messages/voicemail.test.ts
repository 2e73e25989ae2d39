import { describe, expect, it } from "vitest";
import { Rooms } from "../../../src/bridge/rooms/rooms.ts";
import { Conversations } from "../../../src/bridge/rooms/conversations.ts";
import { OccupiedRooms } from "../../../src/bridge/rooms/occupied-rooms.ts";
import { Voicemail } from "../../../src/bridge/messages/voicemail.ts";
import { trunkName, type NumberKey, type UserId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import type { MessageWaiting } from "../../../src/ports/sip.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { FakeHomeserver } from "../../fakes/homeserver.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

const ann = "@ann:example.org" as UserId;
const bob = "@bob:example.org" as UserId;

const nothingRecalled = { recallRoom: async () => {}, recallNumber: async () => {} };

class MailboxRig {
  readonly homeserver = new FakeHomeserver();
  readonly telemetry = new FakeTelemetry();
  readonly store = openMemoryStore();
  readonly clock = new VirtualClock();
  #voicemail = this.#make();

  #make(): Voicemail {
    const { homeserver, store } = this;
    const { log } = this.telemetry;
    return new Voicemail({
      owners: (account) => (account === "2001" ? [ann] : account === "2002" ? [ann, bob] : []),
      conversations: new Conversations({
        encryptRooms: () => "auto",
        homeserver,
        directory: store.conversations,
        ghosts: {
          ensure: async () => {},
          ours: (user) =>
            typeof user === "string"
              ? { user, target: undefined, planned: undefined, key: user as string as NumberKey }
              : user,
        },
        rooms: new Rooms({ homeserver, directory: store.rooms, recalled: nothingRecalled, log }),
        occupied: new OccupiedRooms(() => []),
        recalled: nothingRecalled,
        log,
      }),
      homeserver,
      settings: store.settings,
      clock: this.clock,
      log,
    });
  }

  restart(): void {
    this.#voicemail = this.#make();
  }

  tell(newMessages: number, oldMessages = 0, changes: Partial<MessageWaiting> = {}): void {
    this.#voicemail.messageWaiting({
      trunk: trunkName("main"),
      account: "2001",
      waiting: newMessages > 0,
      newMessages,
      oldMessages,
      ...changes,
    });
  }

  /** Until the doubles have answered all that was asked of them. */
  async quiet(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  async news(newMessages: number, oldMessages = 0, changes: Partial<MessageWaiting> = {}): Promise<void> {
    this.tell(newMessages, oldMessages, changes);
    await this.quiet();
    this.clock.advance(10_000);
    await this.quiet();
  }

  get words(): readonly string[] {
    return this.homeserver.notices.map(({ text }) => text);
  }
}

describe("the owner of a mailbox", () => {
  it("is told by the bot, in a room with it, how many messages there are", async () => {
    const rig = new MailboxRig();
    await rig.news(2, 1);
    expect(rig.homeserver.rooms).toMatchObject([{ as: rig.homeserver.bot, invite: ann }]);
    expect(rig.homeserver.notices).toMatchObject([
      { as: rig.homeserver.bot, text: "You have 2 new voice messages (1 old)." },
    ]);
    await rig.news(1);
    expect(rig.words[1]).toBe("You have 1 new voice message.");
  });

  it("hears that something waits where the trunk does not count", async () => {
    const rig = new MailboxRig();
    await rig.news(0, 0, { waiting: true });
    expect(rig.words).toEqual(["You have new voice messages."]);
  });

  it("is not told the same twice, also after a restart", async () => {
    const rig = new MailboxRig();
    await rig.news(2);
    await rig.news(2);
    rig.restart();
    await rig.news(2);
    expect(rig.words).toEqual(["You have 2 new voice messages."]);
  });

  it("is told that there are none any more, but not that there are none still", async () => {
    const rig = new MailboxRig();
    await rig.news(0);
    await rig.news(1);
    await rig.news(0);
    await rig.news(0);
    expect(rig.words).toEqual(["You have 1 new voice message.", "No new voice messages."]);
  });

  it("is told the latest only where news come faster than they can be told", async () => {
    const rig = new MailboxRig();
    rig.homeserver.hold();
    await rig.news(1);
    rig.tell(2);
    rig.clock.advance(10_000);
    rig.tell(3);
    rig.homeserver.release();
    await rig.quiet();
    expect(rig.words).toEqual(["You have 1 new voice message.", "You have 3 new voice messages."]);
  });

  it("who could not be told is told with the next news", async () => {
    const rig = new MailboxRig();
    rig.homeserver.failure = new HomeserverError("UNREACHABLE", "down", true);
    await rig.news(1);
    expect(rig.words).toEqual([]);
    rig.homeserver.failure = undefined;
    await rig.news(1);
    expect(rig.words).toEqual(["You have 1 new voice message."]);
  });

  it("reads the first news at once and of a flood the last state only, one message each ten seconds", async () => {
    const rig = new MailboxRig();
    for (let n = 1; n <= 200; n++) rig.tell(n);
    await rig.quiet();
    expect(rig.words).toEqual(["You have 1 new voice message."]);
    rig.clock.advance(10_000);
    await rig.quiet();
    expect(rig.words.slice(1)).toEqual(["You have 200 new voice messages."]);
    rig.clock.advance(60_000);
    expect([rig.words.length, rig.clock.pending]).toEqual([2, 0]);
  });

  it("may be several people, and nobody's mailbox is nobody's news", async () => {
    const rig = new MailboxRig();
    await rig.news(1, 0, { account: "2002" });
    expect(rig.homeserver.rooms.map(({ invite }) => invite).toSorted()).toEqual([ann, bob]);
    for (let n = 0; n < 50; n++) rig.tell(1, 0, { account: "2003" });
    await rig.quiet();
    expect(rig.words).toHaveLength(2);
    expect(rig.telemetry.lines).toMatchObject([{ level: "warn", fields: { account: "2003", refusedSoFar: 1 } }]);
  });
});
