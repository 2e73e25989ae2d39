// What people and admins write to the bot besides numbers to call, and what they read.
import { beforeEach, describe, expect, test } from "vitest";
import { deviceId, matrixCallId, type UserId } from "../../../src/core/ids.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { accepted, ann, bob, made1, room, TestBridge, trunk } from "../test-bridge.ts";
import { bot, lobby, lobbyOf, write as writeTo } from "./lobby.ts";

const stranger = "@eve:elsewhere.org" as UserId;

let bridge: TestBridge;

const write = (body: string, sender?: UserId) => writeTo(bridge, body, sender);

beforeEach(async () => {
  bridge = await lobbyOf();
});

const invited = () => bridge.homeserver.rooms.map(({ invite }) => invite);

describe("help", () => {
  test("lists what the person may write, and to admins theirs too, as text and as HTML", async () => {
    expect(await write("help")).toContain("block NUMBER [for all] – calls and texts");
    expect(await write("help")).not.toContain("hangup");
    expect(bridge.homeserver.notices.at(-1)?.html).toContain("<li><code>call NUMBER</code> – calls that number");
    bridge = await lobbyOf({ admins: [ann] });
    expect(await write("help")).toContain("hangup ID | all – ends a call");
  });

  test.each([
    ["histroy", "history"],
    ["blok 123", "block"],
    ["HISTORI", "history"],
  ])("%s is answered with %s", async (body, near) => {
    expect(await write(body)).toContain(`Did you mean “${near}”?`);
  });

  test.each([
    ["<b>block</b> everything", "<b>block</b>"],
    ["\u202ekcolb", "kcolb"],
  ])("%j comes back as text and as nothing else", async (body) => {
    await write(body);
    const { text, html } = bridge.homeserver.notices.at(-1) ?? {};
    expect(text).not.toMatch(/[\p{Cf}]/u);
    expect(html ?? "").not.toContain("<b>");
  });
});

describe("an order is found", () => {
  test.each([
    "blocks",
    "!Blocks",
    "  BLOCKED \n",
    "Telephone: blocks",
    "@_sip_bot:example.org: blocks",
    "> <@_sip_bot:example.org> Write me:\n> call NUMBER\n\nblocks",
    "\u202ablo\u200bcks\u202c",
  ])("in %j", async (body) => {
    expect(await write(body)).toBe("You have blocked nobody.");
  });

  test("is not carried out from an edit, or when it is old", async () => {
    const order = { kind: "message.received", body: "block anonymous", form: "text" } as const;
    await bridge.take({ ...bridge.origin(ann, lobby), ...order, edits: true });
    await bridge.take({ ...bridge.origin(ann, lobby), ...order, edits: false, ageMs: 120_000 });
    expect(bridge.door.blocks.list()).toEqual([]);
  });

  test("is not carried out where others read along", async () => {
    bridge.homeserver.memberList = [ann, bob, bot].map((user) => ({ user, membership: "join" }));
    await write("block anonymous");
    expect(bridge.door.blocks.list()).toEqual([]);
  });

  test("is not taken from people of other homeservers whom nothing names", async () => {
    expect(await write("block anonymous", stranger)).toBe("I take that only from people of this homeserver.");
    expect(bridge.door.blocks.list()).toEqual([]);
  });

  test("is carried out ten times a minute, and again later", async () => {
    for (let n = 0; n < 10; n++) await write("blocks");
    expect(await write("blocks")).toBe("That is too often. Please wait a minute.");
    expect(await write("usage")).toContain("Your calls");
    await bridge.passTime(60_000);
    expect(await write("blocks")).toBe("You have blocked nobody.");
  });
});

describe("people", () => {
  test("block and unblock callers for themselves, in any spelling", async () => {
    expect(await write("block 0044 20 7946 0123")).toBe("020 7946 0123 will not reach you any more.");
    expect(await write("blocks")).toBe("Blocked:\n• 020 7946 0123");
    await bridge.arrive();
    expect(invited()).toEqual([]);
    await bridge.arrive({ called: "+441632960002" });
    expect(invited()).toEqual([bob]);
    expect(await write("unblock 020 7946 0123")).toBe("020 7946 0123 can reach you again.");
    expect(await write("unblock 020 7946 0123")).toBe("That is not blocked. “blocks” shows what is.");
    await bridge.arrive();
    expect(invited()).toEqual([bob, ann]);
  });

  test.each([
    ["block", "Which number? Example: block +44 1632 960123"],
    ["block the neighbours", "That is neither a number"],
    ["block +4*", "needs two digits at least"],
    ["block 999", "Emergency numbers cannot be blocked"],
    ["block anonymous for all", "Only admins can do that for all."],
    ["history many", "How many? From 1 to 50. Example: history 20"],
    ["history 1e3", "How many?"],
    ["usage please", "Nothing belongs behind this word. Example: usage"],
    ["status", "Only admins can ask me that."],
    ["allow @bob:example.org", "Only admins can ask me that."],
    ["hangup all", "Only admins can ask me that."],
    ["keypad", "You are in no call that needs a keypad here."],
    ["transfer 123", "You are in no call that can be transferred here."],
  ])("who write %j read %j, and nothing happens", async (body, words) => {
    expect(await write(body)).toContain(words);
    expect(bridge.door.blocks.list()).toEqual([]);
  });

  test("see their calls with names, what came of them and how long they were", async () => {
    bridge.book.change({ name: "Carol <b>", numbers: ["0181 811 8181"], picture: undefined });
    await bridge.enterRoom();
    await bridge.take(bridge.inviteFact());
    await bridge.sip(accepted);
    await bridge.passTime(65_000);
    await bridge.sip({ kind: "sip.hungUp", q850: 16 });
    await bridge.passTime(300_000);
    await write("block anonymous");
    await bridge.arrive({ identity: callerOf("+442079460123", undefined, ["id"]) });
    await bridge.passTime(60_000);
    expect(await write("history")).toBe(
      "Your last calls:\n• From Anonymous: blocked, 1 min ago\n• To Carol <b> (01818 118181): 1 min 5 s, 6 min ago",
    );
    expect(bridge.homeserver.notices.at(-1)?.html).toContain("Carol &lt;b&gt;");
    expect(await write("history 1")).not.toContain("Carol");
    expect(await write("usage")).toContain("in the last day: 1 call, 1 answered, 1 min 5 s");
  });

  test("see nobody else's calls", async () => {
    await bridge.arrive({ called: "+441632960003" });
    await bridge.passTime(300_000);
    expect(await write("history", bob)).toBe("You have had no calls that I remember.");
  });
});

describe("people who take no calls", () => {
  const missed = (): readonly string[] => bridge.words.filter((words) => words.startsWith("Missed call"));

  test.each(["do-not-disturb on", "Do Not Disturb ON", "dnd for 2 h", "do not disturb for 30min"])(
    "%s: are not rung and read who called, others of a group are rung",
    async (body) => {
      expect(await write(body)).toMatch(/^No calls ring you /);
      const call = await bridge.arrive();
      expect(bridge.trunks.orders).toMatchObject([{ call, verb: "reject", argument: 480 }]);
      expect(missed()).toEqual([
        expect.stringMatching(/^Missed call from \+44 20 7946 0123: you take no calls now\.$/),
      ]);
      await bridge.arrive({ called: "+441632960002" });
      expect(invited()).toEqual([bob]);
      await bridge.passTime(60_000);
      expect(await write("history")).toContain("020 7946 0123: you took no calls");
      expect(await write("dnd off")).toBe("Calls ring you again.");
      await bridge.arrive();
      expect(invited()).toEqual([bob, ann]);
    },
  );

  test("are rung again when the time is over, and not before, a restart in between", async () => {
    await write("dnd for 30 min");
    const again = new TestBridge({ store: bridge.store });
    await again.loadBlocks();
    await again.passTime(29 * 60_000);
    await again.arrive();
    expect(again.trunks.verbs).toEqual(["reject"]);
    await again.passTime(2 * 60_000);
    await again.arrive();
    expect(again.trunks.verbs).toEqual(["reject", "ring"]);
  });

  test.each([
    ["dnd until 8:00", "08:00 on Saturday 16 January", 24 * 60],
    ["do not disturb until 8 AM", "08:00 on Saturday 16 January", 24 * 60],
    ["dnd till 11.59pm", "23:59 on Friday 15 January", 15 * 60 + 59],
    ["dnd until 12:00", "12:00 on Friday 15 January", 4 * 60],
  ])("%s: are rung again when the clock says so, in the zone of the limits", async (body, moment, minutes) => {
    expect(await write(body)).toBe(`No calls ring you until ${moment} (Europe/London).`);
    await bridge.passTime((minutes - 1) * 60_000);
    await bridge.arrive();
    expect(invited()).toEqual([]);
    await bridge.passTime(60_000);
    await bridge.arrive();
    expect(invited()).toEqual([ann]);
  });

  test("still get texts", async () => {
    await write("dnd on");
    const identity = callerOf("+442079460123");
    expect(await bridge.messaged({ trunk, called: "+441632960001", identity, text: "hello", id: "1" })).toBe(200);
  });

  test.each([
    ["dnd maybe", "On, off, for how long, or until when? Example: do-not-disturb for 2 h"],
    ["dnd for 0 h", "On, off, for how long, or until when?"],
    ["dnd until 25:00", "Until which time? As 8:00, 20:15 or 8 am. Example"],
    ["dnd until 13 pm", "Until which time?"],
    ["dnd until 8:60", "Until which time?"],
    ["dnd until 8", "Until which time?"],
    ["dnd for 31 days", "For 30 days at most."],
  ])("who write %j read %j", async (body, words) => {
    expect(await write(body)).toContain(words);
    expect(await write("dnd")).toBe("Calls ring you.");
  });
});

describe("admins", () => {
  beforeEach(async () => {
    bridge = await lobbyOf({ admins: [ann] });
    bridge.trunks.states = [
      { name: trunk, state: "up", detail: "OPTIONS answered 200", sinceMs: bridge.clock.nowMs() },
    ];
  });

  test("see the bridge, its calls and trunks, and end calls", async () => {
    const call = await bridge.ring();
    expect(await write("status")).toMatch(/calls: 1 of 10\n(?:.*\n)*• trunk main: up for .*OPTIONS answered 200/);
    expect(await write("calls")).toContain(`${call} – ${ann} to `);
    expect(await write("hangup c-none")).toBe("There is no such call, or it ends already.");
    expect(await write(`hangup ${call}`)).toBe("1 call ended.");
    await bridge.sip({ kind: "sip.rejected", status: 487, phrase: "Request Terminated", q850: undefined });
    expect(await write("calls")).toBe("There are no calls.");
    expect(await write("hangup all")).toBe("There are no calls.");
    expect(await bridge.door.actions.latest(9)).toMatchObject([
      { who: ann, action: "hang up call", target: call, outcome: "done" },
      { who: ann, action: "hang up call", target: "c-none", outcome: "not_found" },
    ]);
  });

  test("pause and resume trunks", async () => {
    expect(await write("trunks pause main")).toBe("No calls begin over main any more.");
    expect(await write("trunks")).toContain("main: up, paused for");
    await bridge.enterRoom(room);
    await bridge.take(bridge.inviteFact({ room, device: deviceId("PHONE") }));
    expect(bridge.trunks.verbs).toEqual([]);
    expect(await write("trunks resume main")).toBe("Calls begin over main again.");
    expect(await write("trunks pause other")).toContain("There is no such trunk. There are:\n• main");
    expect(await write("trunks stop main")).toContain("Example: trunks pause main");
    expect(await bridge.door.actions.latest(9)).toMatchObject([
      { action: "pause trunk", target: "other", outcome: "not_found" },
      { action: "resume trunk", outcome: "done" },
      { who: ann, action: "pause trunk", target: "main", outcome: "done" },
    ]);
  });

  test("release calls that are held because they look like fraud", async () => {
    expect(await write(`allow ${ann}`)).toBe("No calls are held.");
    await bridge.enterRoom(room, "@_sip_37129000001%40sip.example.org:example.org" as UserId);
    for (let call = 0; call < 7; call += 1) {
      await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId(`short${call}`) }));
      const running = bridge.switchboard.calls.at(-1)?.id;
      if (running === undefined) continue;
      await bridge.sip(accepted, running);
      await bridge.passTime(10_000);
      await bridge.sip({ kind: "sip.hungUp", q850: 16 }, running);
    }
    expect(await write(`allow ${ann} +49`)).toBe(
      `Such calls are not held. These are:\n• ${ann} +37129: 6 short calls to +37129… within an hour`,
    );
    expect(await write("allow bob")).toContain("Example: allow @alice:example.org +37129");
    expect(await write(`allow ${ann} +37129`)).toBe(`${ann} may call +37129… again.`);
    expect(await bridge.door.actions.latest(9)).toMatchObject([
      { who: ann, action: "allow calls", target: ann, outcome: "done" },
      { outcome: "not_found" },
      { outcome: "not_found" },
    ]);
  });

  test("have numbers explained, for themselves and for others", async () => {
    expect(await write("explain 0181 811 8181")).toBe(
      "It is called.\n• kind of number: ordinary\n• trunk main, as +441818118181",
    );
    expect(await write(`explain 0181 811 8181 for ${stranger}`)).toContain(
      "It is not called: You do not have permission",
    );
    expect(await write("explain 0181 811 8181 for @bob")).toContain("That is no Matrix user.");
    expect(await write("explain xyzzy!!")).toBe("That cannot be dialled.");
    expect(bridge.trunks.verbs).toEqual([]);
  });

  test("get a link to the console, and others none", async () => {
    const link = await write("console");
    expect(link).toMatch(/^https:\/\/bridge\.example\.org\/#login=(\S+) – this link logs whoever opens it in/);
    const [, code = ""] = /#login=(\S+)/.exec(link ?? "") ?? [];
    expect(bridge.door.logins.byCode(code)).toBe(ann);
    expect(await write("console", bob)).toBe("Only admins can ask me that.");
  });

  test("block for all, which is noted with the number masked as in the log", async () => {
    bridge.telemetry.masksNumbers = true;
    expect(await write("block +44 20* for all")).toBe(
      "Numbers that begin with +4420 will not reach anybody any more. Nobody can call there either.",
    );
    await bridge.arrive({ called: "+441632960002" });
    expect(invited()).toEqual([]);
    expect(await write("blocks")).toContain(`Numbers that begin with +4420: for all, by ${ann}`);
    expect(await write("unblock +44 20* for all")).toContain("can reach anybody again");
    const [, noted] = await bridge.door.actions.latest(9);
    expect(noted).toMatchObject({ who: ann, action: "block", outcome: "done" });
    expect(noted?.detail).not.toContain("44");
    await bridge.arrive();
    expect(invited()).toEqual([ann]);
    expect(bridge.in(made1)).toEqual(["invite"]);
  });
});
