// Keys in INFO, both ways, for trunks that know no RFC 4733.
import { describe, expect, it } from "vitest";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import { answered, hangUp } from "../rig/answered-call.ts";
import { lines } from "../rig/peer.ts";
import { rig, standStill, TRANSACTION_MS } from "../rig/rig.ts";

describe("a key that the person presses", () => {
  it("goes out in INFO with how long it was held, without a Contact", async () => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.info(call, "5", 200);
    const info = await peer.request("INFO");
    expect(info.message.contentType?.type).toBe("application/dtmf-relay");
    expect(info.message.body).toBe("Signal=5\r\nDuration=200\r\n");
    expect(lines(info, "Contact")).toEqual([]);
    peer.reply(info, 200);
    await hangUp(peer, stack, call);
  });

  it("waits for the answer to the one before, so that the number arrives as it was dialled", async () => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    for (const digit of "1*#d") stack.trunks.info(call, digit, 100);
    for (const digit of ["1", "*", "#", "D"]) {
      const info = await peer.request("INFO");
      expect(info.message.body).toContain(`Signal=${digit}\r\n`);
      expect(peer.count("INFO")).toBe(["1", "*", "#", "D"].indexOf(digit) + 1);
      peer.reply(info, 200);
    }
    await hangUp(peer, stack, call);
  });

  it("is written as the bare digit once the trunk refuses the other body, from then on at once", async () => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.info(call, "7", 100);
    stack.trunks.info(call, "8", 100);
    peer.reply(await peer.request("INFO"), 415);
    for (const digit of ["7", "8"]) {
      const info = await peer.request("INFO");
      expect(info.message.contentType?.type).toBe("application/dtmf");
      expect(info.message.body).toBe(digit);
      peer.reply(info, 200);
    }
    stack.trunks.info(call, "9", 100);
    expect((await peer.request("INFO")).message.body).toBe("9");
  });

  it.each([
    ["both bodies refused", 415],
    ["a trunk without INFO", 405],
    ["an overloaded one", 503],
  ])("is lost alone with %s: the log says so and the call goes on", async (_, status) => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.info(call, "1", 100);
    peer.reply(await peer.request("INFO"), status);
    if (status === 415) peer.reply(await peer.request("INFO"), status);
    await expect
      .poll(
        () => stack.log.some(({ message }) => message.includes("keys in INFO") || message.includes("key in INFO")),
        { interval: 1 },
      )
      .toBe(true);
    await hangUp(peer, stack, call);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.ended"]);
  });

  it("ends the call where the peer says that there is none", async () => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.info(call, "1", 100);
    peer.reply(await peer.request("INFO"), 481);
    await stack.fact(call, "sip.hungUp");
    peer.reply(await peer.request("BYE"), 481);
  });

  it("is not answered at all: those behind it are forgotten with it, the call goes on", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.info(call, "1", 100);
    stack.trunks.info(call, "2", 100);
    await peer.request("INFO");
    pass(TRANSACTION_MS);
    stack.trunks.info(call, "3", 100);
    expect((await peer.next(({ kind, body }) => kind === "request" && body.includes("Signal=3"))).text).toContain(
      "INFO",
    );
    expect(peer.log.some(({ message }) => message.body.includes("Signal=2"))).toBe(false);
    await hangUp(peer, stack, call);
  });

  it("is one too many: no more than a card number's worth waits, and what is no key never leaves", async () => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    for (const digit of ["", "55", "x", "\r\n", "\u0661"]) stack.trunks.info(call, digit, 100);
    for (let key = 0; key < 70; key++) stack.trunks.info(call, "1", Number.NaN);
    const info = await peer.request("INFO");
    expect(info.message.body).toBe("Signal=1\r\nDuration=160\r\n");
    peer.reply(info, 200);
    expect(stack.log.filter(({ message }) => message.includes("too many")).length).toBe(6);
    await hangUp(peer, stack, call);
  });
});

describe("an INFO of the trunk", () => {
  it.each([
    ["application/dtmf-relay", "Signal=5\r\nDuration=250\r\n", "5", 250],
    ["application/dtmf-relay", "Signal= #\r\nDuration= 160", "#", 160],
    ["application/dtmf-relay", "signal=a\nduration=100\n", "A", 100],
    ["application/dtmf-relay", "Signal=10\r\nDuration=160\r\n", "*", 160],
    ["application/dtmf-relay", "Signal=11\r\n", "#", 160],
    ["application/dtmf-relay", "Signal=15\r\n", "D", 160],
    ["application/dtmf-relay", "Signal=1\r\nDuration=1\r\n", "1", 40],
    ["application/dtmf-relay", "Signal=1\r\nDuration=999999\r\n", "1", 6_000],
    ["application/dtmf-relay", "Signal=1\r\nDuration=0\r\n", "1", 160],
    ["application/dtmf", "9", "9", 160],
    ["application/dtmf", " *\r\n", "*", 160],
    ["application/dtmf", "Signal=3\r\nDuration=80\r\n", "3", 80],
  ])("of %s saying %j is a key", async (type, content, digit, durationMs) => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INFO", 1, { body: { type, content } });
    expect((await peer.response("INFO")).message.statusCode).toBe(200);
    expect(await stack.fact(call, "sip.dtmf")).toEqual({ kind: "sip.dtmf", digit, durationMs });
  });

  it.each([
    ["application/dtmf-relay", "Signal=16\r\n", 200],
    ["application/dtmf-relay", "Signal=!\r\n", 200],
    ["application/dtmf-relay", "Signal=\r\nDuration=100\r\n", 400],
    ["application/dtmf-relay", "Signal=99\r\n", 400],
    ["application/dtmf", "123456", 400],
    ["application/media_control+xml", "<media_control/>", 415],
    ["text/plain", "5", 415],
    ["multipart/mixed;boundary=b", "--b--", 415],
  ])("of %s saying %j is none: %i, and the call goes on", async (type, content, status) => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INFO", 1, { body: { type, content } });
    const response = await peer.response("INFO");
    expect(response.message.statusCode).toBe(status);
    expect(lines(response, "Accept")).toEqual(status === 415 ? ["application/dtmf-relay, application/dtmf"] : []);
    await hangUp(peer, stack, call);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.ended"]);
  });

  it("of a package that we never asked for is refused 469 and says that we take none", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INFO", 1, {
      headers: [textHeader("Info-Package", "dtmf")],
      body: { type: "application/dtmf", content: "5" },
    });
    const response = await peer.response("INFO");
    expect(response.message.statusCode).toBe(469);
    expect(lines(response, "Recv-Info")).toEqual([""]);
    expect(stack.kinds(call)).toEqual(["sip.accepted"]);
  });

  it("without a body, as a sign of life, is answered 200", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INFO", 1);
    expect((await peer.response("INFO")).message.statusCode).toBe(200);
    expect(stack.kinds(call)).toEqual(["sip.accepted"]);
  });
});
