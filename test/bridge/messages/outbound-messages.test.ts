import { describe, expect, it } from "vitest";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import type { MessageOutcome } from "../../../src/ports/sip.ts";
import {
  ann,
  bob,
  delivered,
  ghost,
  ghostOf,
  ids,
  main,
  policy,
  refused,
  room,
  spare,
  templates,
  MessagesRig,
} from "./messages-rig.ts";

const onMain = "sip:+441632960123@main.example.org";
const onSpare = "sip:+441632960123@spare.example.org";

describe("what a person writes to a number", () => {
  it("reaches the telephone under the person's identity, and is marked as read", async () => {
    const rig = await new MessagesRig().opened();
    const message = rig.message("Grüße 👋🏽\nand more");
    expect(await rig.outbound.hear(message)).toBeUndefined();
    expect(rig.telephones).toEqual([`${onMain} Grüße 👋🏽\nand more`]);
    expect(rig.sent[0]).toMatchObject({ trunk: main, identity: { from: { user: "ann", host: "example.org" } } });
    expect(rig.homeserver.read).toEqual([{ room, as: ghost, event: message.eventId }]);
    expect(rig.words).toEqual([]);
  });

  it("of themselves is told in the third person, by the name they go by", async () => {
    const rig = await new MessagesRig().opened();
    await rig.outbound.hear(rig.message("waves", { form: "emote" }));
    rig.homeserver.names.set(ann, "Ann Example");
    await rig.outbound.hear(rig.message("waves again", { form: "emote" }));
    expect(rig.telephones).toEqual([`${onMain} * ann waves`, `${onMain} * Ann Example waves again`]);
  });

  it("goes under the name they go by where the trunk shows names", async () => {
    const rig = await new MessagesRig({ identity: { ...templates, fromDisplayName: "{displayname}" } }).opened();
    rig.homeserver.names.set(ann, "Ann Example");
    await rig.outbound.hear(rig.message("Hello"));
    expect(rig.sent[0]?.identity.from.displayName).toBe("Ann Example");
  });

  it("goes without their number where they ask for that", async () => {
    const secret = ghostOf("#31#+441632960123");
    const rig = await new MessagesRig().opened(room, secret);
    await rig.outbound.hear(rig.message("Guess who"));
    expect(rig.telephones).toEqual([`${onMain} Guess who`]);
    expect(rig.sent[0]?.identity).toMatchObject({ from: { user: "anonymous" }, privacy: ["id"] });
  });

  it("is sent in parts where the trunk takes no more at once, in their order", async () => {
    const rig = await new MessagesRig({ maxLengths: new Map([[main, 30]]) }).opened();
    await rig.outbound.hear(rig.message("One two three four five six seven eight nine"));
    expect(rig.sent.map(({ text }) => text)).toEqual([
      "(1/3) One two three four",
      "(2/3) five six seven eight",
      "(3/3) nine",
    ]);
    expect(rig.homeserver.read).toHaveLength(1);
  });

  it("of which a part fails is told to be delivered in part, and the rest is not sent", async () => {
    const rig = await new MessagesRig({ maxLengths: new Map([[main, 30]]) }).opened();
    rig.outcomes.push(delivered, refused(503));
    const message = rig.message("One two three four five six seven eight nine");
    await rig.outbound.hear(message);
    expect(rig.sent).toHaveLength(2);
    expect(rig.homeserver.notices).toMatchObject([
      {
        as: ghost,
        about: message.eventId,
        text: "Only partly delivered (1 of 3): the telephone network is busy. Please try again later.",
      },
    ]);
    expect(rig.homeserver.read).toEqual([]);
  });

  it("takes the next trunk where the first one certainly did not deliver it", async () => {
    const rig = await new MessagesRig().opened();
    rig.outcomes.push(refused(503), delivered, { kind: "failed", fault: "transport" }, delivered);
    await rig.outbound.hear(rig.message("one"));
    await rig.outbound.hear(rig.message("two"));
    expect(rig.telephones).toEqual([`${onMain} one`, `${onSpare} one`, `${onMain} two`, `${onSpare} two`]);
    expect(rig.words).toEqual([]);
  });

  it("goes by the trunk that takes texts", async () => {
    const rig = await new MessagesRig({ maxLengths: new Map([[spare, 300]]) }).opened();
    await rig.outbound.hear(rig.message("one"));
    expect(rig.telephones).toEqual([`${onSpare} one`]);
  });

  it.each<[string, MessageOutcome, string]>([
    ["to a number out of service", refused(404), "Not delivered: this number is not in service."],
    ["to a network without texts", refused(405), "Not delivered: this telephone network does not accept texts."],
    ["to a network without such texts", refused(415), "Not delivered: this telephone network does not accept texts."],
    [
      "to a telephone that is off",
      refused(480),
      "Not delivered: the telephone cannot be reached at the moment. Please try again later.",
    ],
    ["that the telephone refuses", refused(603), "Not delivered: the telephone did not accept the text."],
    ["that fails in a way of its own", refused(499), "Not delivered: the telephone provider did not accept it."],
    [
      "that nobody answers",
      { kind: "failed", fault: "timeout" },
      "Not delivered: the telephone network did not respond. Please try again later.",
    ],
  ])("%s is answered by the words for it, and sent once only", async (_what, outcome, words) => {
    const rig = await new MessagesRig({ maxLengths: new Map([[main, 300]]) }).opened();
    rig.outcomes.push(outcome);
    const message = rig.message("Hello?");
    await rig.outbound.hear(message);
    expect(rig.homeserver.notices).toEqual([{ room, as: ghost, text: words, about: message.eventId }]);
    expect(rig.sent).toHaveLength(1);
    expect(rig.homeserver.read).toEqual([]);
  });

  it("is not tried elsewhere where it may have been delivered", async () => {
    const rig = await new MessagesRig().opened();
    rig.outcomes.push({ kind: "failed", fault: "timeout" });
    await rig.outbound.hear(rig.message("once"));
    expect(rig.telephones).toEqual([`${onMain} once`]);
  });

  it("and cannot be told that it failed, is the homeserver's loss, not the bridge's", async () => {
    const rig = await new MessagesRig().opened();
    rig.outcomes.push(refused(404));
    rig.homeserver.failure = rig.homeserver.closedWith;
    await rig.outbound.hear(rig.message("Hello?"));
    expect(rig.telemetry.lines).toContainEqual(
      expect.objectContaining({ level: "warn", message: "could not tell the writer of a text" }),
    );
  });
});

describe("what no telephone takes", () => {
  it("an image or a file is answered with what can be sent", async () => {
    const rig = await new MessagesRig().opened();
    await rig.outbound.hear(rig.message("photo.jpg", { form: "other" }));
    expect(rig.words).toEqual(["Not delivered: only text can be sent to a telephone."]);
    expect(rig.sent).toEqual([]);
  });

  it("a text of more parts than anybody sends goes to no trunk, or to one that takes it in fewer", async () => {
    const words = "Not delivered: the text is too long for this telephone network.";
    const long = "word ".repeat(2_000);
    const rig = await new MessagesRig({ maxLengths: new Map([[main, 70]]) }).opened();
    await rig.outbound.hear(rig.message(long));
    expect([rig.sent, rig.words]).toEqual([[], [words]]);
    const roomy = new Map([
      [main, 70],
      [spare, 20_000],
    ]);
    const other = await new MessagesRig({ maxLengths: roomy }).opened();
    await other.outbound.hear(other.message(long));
    expect([other.sent.map(({ trunk }) => trunk), other.words]).toEqual([[spare], []]);
  });

  it("a change of a text is explained once in a room", async () => {
    const rig = await new MessagesRig().opened();
    await rig.outbound.hear(rig.message("* Helo", { edits: true }));
    await rig.outbound.hear(rig.message("* Hello", { edits: true }));
    expect(rig.words).toEqual(["You cannot change a text that was sent to a telephone."]);
    expect(rig.sent).toEqual([]);
  });

  it("nothing but spaces is left alone", async () => {
    const rig = await new MessagesRig().opened();
    await rig.outbound.hear(rig.message(" \n "));
    expect([rig.words, rig.sent]).toEqual([[], []]);
  });

  it("a text where no trunk carries any is explained once in a room, and each further one marked", async () => {
    const rig = await new MessagesRig({ maxLengths: new Map() }).opened();
    await rig.outbound.hear(rig.message("one"));
    await rig.outbound.hear(rig.message("two"));
    expect(rig.words).toEqual([
      "You cannot send texts to this number: its telephone line does not carry them.",
      "Not delivered.",
    ]);
    expect(rig.sent).toEqual([]);
  });

  it("a text to an emergency number is refused in plain words, although calls there are connected", async () => {
    const rig = await new MessagesRig().opened(room, ghostOf("999"));
    await rig.outbound.hear(rig.message("Help"));
    expect(rig.words).toEqual([
      "Not delivered: emergency numbers cannot be reached by text from here. Please call them from a mobile or landline telephone.",
    ]);
    expect(rig.sent).toEqual([]);
  });

  it("an answer to a withheld number is explained once in a room, and each further one marked", async () => {
    const rig = await new MessagesRig().opened(room, ids.withheld);
    await rig.outbound.hear(rig.message("Who are you?"));
    await rig.outbound.hear(rig.message("Hello?"));
    expect(rig.words).toEqual(["This number is withheld, so you cannot write to it.", "Not delivered."]);
  });

  it("a text that was written before yesterday, when the bridge was down, is told to be too late", async () => {
    const rig = await new MessagesRig().opened();
    await rig.outbound.hear(rig.message("Happy birthday", { ageMs: 25 * 3_600_000 }));
    expect(rig.words).toEqual(["Not delivered: the bridge was not running when this was written."]);
  });
});

describe("who may write", () => {
  it("a person who may not call is told why once in a room, and of each further text that it was not delivered", async () => {
    const rig = await new MessagesRig({ policy: { ...policy, permissions: new Map() } }).opened();
    await rig.outbound.hear(rig.message("one"));
    await rig.outbound.hear(rig.message("two"));
    expect(rig.words).toEqual(["You do not have permission to send texts to telephones here.", "Not delivered."]);
    expect(rig.sent).toEqual([]);
  });

  it("premium-rate numbers are barred for texts as for calls", async () => {
    const rig = await new MessagesRig().opened(room, ghostOf("+449091234567"));
    await rig.outbound.hear(rig.message("WIN"));
    expect(rig.words).toEqual(["Not delivered: texts to premium-rate numbers are not allowed here."]);
  });

  it("who writes too often is told once a minute, and heard again when it is over", async () => {
    const rig = await new MessagesRig({ policy: { ...policy, callsPerMinute: 2 } }).opened();
    for (const body of ["1", "2", "3", "4"]) await rig.outbound.hear(rig.message(body));
    await rig.outbound.hear(rig.message("photo.jpg", { form: "other" }));
    expect(rig.sent.map(({ text }) => text)).toEqual(["1", "2"]);
    expect(rig.words).toEqual([
      "Not delivered: you are writing too often. What you write in the next minute may not be delivered either.",
    ]);
    rig.clock.advance(60_000);
    await rig.outbound.hear(rig.message("5"));
    expect(rig.sent.map(({ text }) => text)).toEqual(["1", "2", "5"]);
  });
});

describe("a room", () => {
  it("with other people in it sends nothing to the number, and says so once", async () => {
    const rig = await new MessagesRig().opened();
    rig.homeserver.memberList.push({ user: bob, membership: "join" });
    await rig.outbound.hear(rig.message("between us"));
    await rig.outbound.hear(rig.message("and again"));
    expect(rig.words).toHaveLength(1);
    expect(rig.words[0]).toContain("does not send what you write here to a telephone");
    expect(rig.sent).toEqual([]);
  });

  it("that has emptied to the two of them sends to the number again", async () => {
    const rig = await new MessagesRig().opened();
    rig.homeserver.memberList.push({ user: bob, membership: "join" });
    await rig.outbound.hear(rig.message("between us"));
    await rig.opened();
    rig.clock.advance(10_000);
    await rig.outbound.hear(rig.message("to you"));
    expect(rig.telephones).toEqual([`${onMain} to you`]);
  });

  it("with two numbers in it sends to neither", async () => {
    const rig = await new MessagesRig().opened();
    await rig.store.rooms.saveOurs(room, ghostOf("+441632960124"));
    await rig.outbound.hear(rig.message("to whom?"));
    expect(rig.words[0]).toContain("There are several people or numbers");
    expect(rig.sent).toEqual([]);
  });

  it("of the bot's is not a number's, nor is one in which nobody of ours is", async () => {
    const rig = new MessagesRig();
    await rig.outbound.hear(rig.message("call 01632 960123"));
    await rig.opened();
    await rig.store.rooms.saveOurs(room, rig.homeserver.bot);
    await rig.outbound.hear(rig.message("call 01632 960123"));
    expect([rig.words, rig.sent]).toEqual([[], []]);
  });

  it("whose members the homeserver does not tell sends nothing, and the writer may try again", async () => {
    const rig = await new MessagesRig().opened();
    rig.homeserver.memberFailure = rig.homeserver.closedWith;
    await rig.outbound.hear(rig.message("Hello?"));
    expect(rig.words).toEqual([
      "Not delivered: the homeserver does not say who is in this room. Please try again later.",
    ]);
    expect(rig.sent).toEqual([]);
  });

  it("keeps a text for the next start where the homeserver takes not even that word", async () => {
    const rig = await new MessagesRig().opened();
    const gone = new HomeserverError("UNREACHABLE", "gone", true);
    rig.homeserver.memberFailure = gone;
    rig.homeserver.failure = gone;
    expect(await rig.outbound.hear(rig.message("Hello?"))).toBe("later");
    expect(rig.sent).toEqual([]);
  });
});

describe("when the bridge is stopped", () => {
  it("what is not sent yet, and what fails because of that, is left for the next start", async () => {
    const rig = await new MessagesRig().opened();
    let fail: (outcome: MessageOutcome) => void = () => {};
    rig.outcomes.push(new Promise((resolve) => (fail = resolve)));
    const underWay = rig.outbound.hear(rig.message("one"));
    await expect.poll(() => rig.sent.length).toBe(1);
    rig.outbound.stop();
    expect(await rig.outbound.hear(rig.message("two"))).toBe("later");
    fail({ kind: "failed", fault: "transport" });
    expect(await underWay).toBe("later");
    expect(rig.words).toEqual([]);
    expect(rig.sent).toHaveLength(1);
  });
});
