// 3xx: a trunk may send a call on within itself, and nowhere else (RFC 3261 s8.1.3.4).
import { expect, it } from "vitest";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import { userText } from "../../../src/core/address/uri.ts";
import type { Received, ReplyOptions } from "../rig/peer.ts";
import type { SipRequest } from "../../../src/sip/wire/message.ts";
import { rig, startPeer, startStack } from "../rig/rig.ts";
import { ANSWER, trunkSettings } from "../rig/stack.ts";

const to = (...contacts: readonly string[]): ReplyOptions => ({
  contact: false,
  headers: contacts.map((value) => textHeader("Contact", value)),
});
const called = ({ message }: Received<SipRequest>): string | undefined => userText(message.uri);

it("a number that moved is called at the gateway's own new one, the best first", async () => {
  const { peer, stack } = await rig();
  const call = stack.invite();
  const first = await peer.request("INVITE");
  const here = `127.0.0.1:${peer.port}`;
  peer.reply(
    first,
    302,
    to(`<sip:second@${here}>;q=0.5, <sip:third@${here}>;q=0.1`, `<sip:best@${here};method=INVITE?Subject=x>;q=0.9`),
  );
  const next = await peer.request("INVITE");
  expect(next.message.uriText).toBe(`sip:best@${here}`);
  expect(next.message.to.uri).toEqual(first.message.to.uri);
  expect(next.message.headers.map(({ name }) => name)).not.toContain("History-Info");
  peer.reply(next, 486);
  const second = await peer.request("INVITE");
  expect(called(second)).toBe("second");
  peer.reply(second, 200, { sdp: ANSWER });
  await stack.fact(call, "sip.accepted");
  expect(stack.kinds(call)).toEqual(["sip.accepted"]);
});

it("another gateway of the trunk, or the trunk's domain, is as good", async () => {
  const [first, second] = [await startPeer(), await startPeer()];
  const stack = await startStack(
    trunkSettings(first.port, { moreServers: [{ host: "localhost", port: second.port }] }),
  );
  const call = stack.invite();
  first.reply(await first.request("INVITE"), 301, to(`<sip:a@localhost:${second.port}>`));
  const there = await second.request("INVITE");
  second.reply(there, 302, to("<sip:b@gateway.example>"));
  const back = await first.request("INVITE");
  expect(called(back)).toBe("b");
  first.reply(back, 404);
  expect(await stack.fact(call, "sip.rejected")).toMatchObject({ status: 404 });
});

it.each([
  ["another machine", "<sip:a@127.0.0.2>"],
  ["another port", "<sip:a@127.0.0.1:9>"],
  ["a name that is not the trunk's", "<sip:a@elsewhere.example>"],
  ["a telephone number without a place", "<tel:+1900>"],
  ["the same once more", "<sip:+4940555@gateway.example>"],
])("%s is not followed: the call is refused with the status", async (_where, contact) => {
  const { peer, stack } = await rig();
  const elsewhere = await startPeer({ host: "127.0.0.2" });
  const call = stack.invite();
  peer.reply(await peer.request("INVITE"), 302, to(contact));
  expect(await stack.fact(call, "sip.rejected")).toMatchObject({ status: 302 });
  expect([peer.count("INVITE"), elsewhere.log.length]).toEqual([1, 0]);
});

it("a call is sent on five times and no more", async () => {
  const { peer, stack } = await rig();
  const call = stack.invite();
  for (let hop = 1; hop <= 6; hop++) {
    peer.reply(await peer.request("INVITE"), 302, to(`<sip:hop${hop}@127.0.0.1:${peer.port}>`));
  }
  expect(await stack.fact(call, "sip.rejected")).toMatchObject({ status: 302 });
  expect(peer.count("INVITE")).toBe(6);
});

it("a caller who gives up meanwhile is done", async () => {
  const { peer, stack } = await rig();
  const call = stack.invite();
  const invite = await peer.request("INVITE");
  peer.reply(invite, 180);
  await stack.fact(call, "sip.ringing");
  stack.trunks.cancel(call);
  peer.reply(invite, 302, to(`<sip:a@127.0.0.1:${peer.port}>`));
  await stack.fact(call, "sip.ended");
  expect(peer.count("INVITE")).toBe(1);
});

it("another number that may not be called is not followed, and parameters do not make the number another one", async () => {
  const asked: (string | undefined)[] = [];
  const peer = await startPeer();
  const stack = await startStack(trunkSettings(peer.port), {
    mayReach: (_call, { user }) => {
      asked.push(user);
      return false;
    },
  });
  const call = stack.invite();
  const here = `127.0.0.1:${peer.port}`;
  peer.reply(
    await peer.request("INVITE"),
    302,
    to(`<sip:0900123456@${here}>`, `<sip:+4940555;npdi;rn=+4940@${here}>;q=0.1`),
  );
  const next = await peer.request("INVITE");
  expect(next.message.uriText).toBe(`sip:+4940555;npdi;rn=+4940@${here}`);
  peer.reply(next, 486);
  expect(await stack.fact(call, "sip.rejected")).toMatchObject({ status: 486 });
  expect(asked).toEqual(["0900123456"]);
});
