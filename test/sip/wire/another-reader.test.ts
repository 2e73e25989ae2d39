// What we write, as sip.js reads it: a parser that nobody here has written, and the one of many softphones.
import { describe, expect, it } from "vitest";
import { Grammar, LoggerFactory } from "sip.js/lib/core/index.js";
import { IncomingRequestMessage, type IncomingResponseMessage } from "sip.js/lib/core/index.js";
import { Parser } from "sip.js/lib/core/messages/parser.js";
import type { CallerIdentity } from "../../../src/core/policy/caller-identity.ts";
import { callerRig } from "../rig/caller.ts";
import type { Received } from "../rig/peer.ts";
import { rig } from "../rig/rig.ts";
import { ANSWER, OFFER } from "../rig/stack.ts";

const loggers = new LoggerFactory();
loggers.builtinEnabled = false;
const logger = loggers.getLogger("test");

function read({ text }: Received): IncomingRequestMessage | IncomingResponseMessage {
  const message = Parser.parseMessage(text, logger);
  if (message === undefined) throw new Error(`sip.js cannot read ${text}`);
  return message;
}

const names = [
  "",
  "Ann",
  'the "boss"',
  "back\\slash",
  "Jörg, Köln; <sip:x@y>",
  "你好 👋",
  "a\r\nInjected: yes",
  "%41@:?&=",
];

describe("A call of ours", () => {
  it.each(names)("in the name of %j is one call, from the INVITE to the BYE", async (displayName) => {
    const { peer, stack } = await rig();
    const identity: CallerIdentity = {
      from: { user: "+4930123", host: "us.example", displayName: displayName === "" ? undefined : displayName },
      asserted: [],
      preferred: undefined,
      privacy: ["id"],
    };
    const call = stack.invite({ identity, target: "sip:*31%23%2b4940555@gateway.example;user=phone" });
    const invite = await peer.request("INVITE");
    peer.reply(invite, 180);
    peer.reply(invite, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    const ack = await peer.request("ACK");
    stack.trunks.bye(call, 16);
    const bye = await peer.request("BYE");
    peer.reply(bye, 200);
    await stack.fact(call, "sip.ended");

    const [first, acknowledged, last] = [invite, ack, bye].map(read);
    if (!(first instanceof IncomingRequestMessage)) throw new Error("no request");
    expect(first.ruri?.user).toBe("*31#+4940555");
    expect(first.ruri?.host).toBe("gateway.example");
    expect(first.ruri?.getParam("user")).toBe("phone");
    expect(first.body).toBe(OFFER);
    expect([first.from.uri.user, first.from.uri.host]).toEqual(["+4930123", "us.example"]);
    expect(first.getHeader("Injected")).toBeUndefined();
    expect(first.getHeader("Privacy")).toBe("id");
    expect(first.parseHeader("Contact").uri.host).toBe("127.0.0.1");
    expect(acknowledged).toMatchObject({ method: "ACK", cseq: first.cseq, callId: first.callId, body: "" });
    expect(last).toMatchObject({ method: "BYE", cseq: first.cseq + 1, callId: first.callId, fromTag: first.fromTag });
    expect(last?.toTag).toBe("peer-tag");
    expect(last?.getHeader("Reason")).toBe("Q.850;cause=16");
    const branches = new Set([first.viaBranch, acknowledged?.viaBranch, last?.viaBranch]);
    expect(branches.size).toBe(3);
    for (const branch of branches) expect(branch).toMatch(/^z9hG4bK/);
  });
});

describe("A call of a telephone", () => {
  it.each([200, 404, 486, 603])("is answered %i so that the telephone can read it", async (status) => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.ring(call, 180);
    const heard = [await placed.response(180)];
    if (status === 200) stack.trunks.accept(call, ANSWER);
    else stack.trunks.reject(call, status);
    heard.push(await placed.response(status));
    const [ringing, final] = heard.map(read);
    expect(ringing).toMatchObject({ statusCode: 180, method: "INVITE", cseq: 1 });
    expect(final).toMatchObject({ statusCode: status, toTag: ringing?.toTag, callId: ringing?.callId });
    expect(final?.toTag).not.toBe("");
    expect(final?.body).toBe(status === 200 ? ANSWER : "");
    if (status === 200) expect(Grammar.nameAddrHeaderParse(final?.getHeader("Contact") ?? "")).toBeDefined();
  });
});
