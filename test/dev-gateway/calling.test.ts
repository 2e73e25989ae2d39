// Two gateways on the wire: one calls the other, and everything that the two can do in a call.
import { afterEach, describe, expect, it } from "vitest";
import {
  startGateway,
  type Gateway,
  type GatewayCall,
  type GatewayNumber,
  type GatewayOptions,
  type ScriptStep,
} from "../../dev/gateway/gateway.ts";
import { quickNumbers } from "./quick-numbers.ts";

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

const number = (ending: string, ...script: readonly ScriptStep[]): GatewayNumber => ({ ending, what: "", script });
const answers = (ending: string, hz: number): GatewayNumber => number(ending, { do: "answer", sound: { hz } });

async function gatewayWith(options: GatewayOptions): Promise<Gateway> {
  const gateway = await startGateway(options);
  ending.push(() => gateway.stop());
  return gateway;
}

const TABLE = [answers("1", 440), answers("2", 1_000), number("9", { do: "ring" }), answers("", 600)];

async function pair(options: GatewayOptions = {}, calling: GatewayOptions = {}) {
  const near = await gatewayWith({ numbers: TABLE, ...calling });
  const far = await gatewayWith({ numbers: TABLE, ...options });
  return { near, far, at: { host: far.host, port: far.port } };
}

async function connected(options: GatewayOptions = {}, order: Partial<Parameters<Gateway["call"]>[0]> = {}) {
  const { near, far, at } = await pair(options);
  const call = await near.call({ to: "1", at, from: "+441632960123", sound: { hz: 800 }, ...order });
  const there = await far.until(([first]) => first?.requests.includes("ACK") && first);
  await near.until(() => call.state === "answered");
  return { near, far, call, there };
}

const hears = (gateway: Gateway, call: GatewayCall, hz: number) =>
  gateway.until(() => call.heard(500, [440, 600, 800, 1_000]).hz === hz && call.heard(500, [hz]).ratio > 50);

describe.each(["UDP", "TCP"] as const)("a call of the gateway's over %s", (transport) => {
  it("says who calls, is heard at both ends, and is hung up", async () => {
    const { near, far } = await pair();
    const call = await near.call({
      to: "+442079460001",
      at: { host: far.host, port: transport === "TCP" ? far.tcpPort : far.port, transport },
      from: "+441632960123",
      displayName: 'A "quoted" name',
      asserted: "<tel:+441632960999>",
      headers: [["Diversion", "<sip:+441632960777@example.org>"]],
      sound: { hz: 800 },
    });
    const there = await far.until(([first]) => first?.state === "answered" && first);
    expect(there.from).toMatchObject({
      displayName: 'A "quoted" name',
      uri: expect.stringContaining("+441632960123@"),
    });
    expect(there.headers("P-Asserted-Identity")).toEqual(["<tel:+441632960999>"]);
    expect(there.headers("Diversion")).toHaveLength(1);
    await Promise.all([hears(near, call, 440), hears(far, there, 800)]);
    expect(call).toMatchObject({ direction: "out", statuses: [100, 200], transport });
    await call.hangUp();
    expect(there.end).toEqual({ by: "caller", how: "bye", status: undefined, reason: undefined });
    expect(call.end).toMatchObject({ by: "gateway", how: "bye" });
  });
});

describe("a call of the gateway's", () => {
  it("leaves the offer to the other side", async () => {
    const { near, far, call, there } = await connected({}, { sdp: "late" });
    expect(there.offer).toBe("");
    expect(call.offer).toContain("m=audio");
    await Promise.all([hears(near, call, 440), hears(far, there, 800)]);
  });

  it("is refused", async () => {
    const { near, at } = await pair({ numbers: [number("", { do: "refuse", status: 486, reason: "Busy Here" })] });
    const call = await near.call({ to: "5", at, from: "1" });
    expect(await near.until(() => call.end)).toMatchObject({ by: "callee", how: "refused", status: 486 });
  });

  it("is taken back while it rings", async () => {
    const { near, far, at } = await pair();
    const call = await near.call({ to: "9", at, from: "1" });
    await near.until(() => call.statuses.includes(180));
    await call.hangUp();
    expect(call.end).toMatchObject({ by: "gateway", how: "cancel", status: 487 });
    expect(far.calls[0]?.end).toMatchObject({ by: "caller", how: "cancel" });
  });

  it("is given up when nobody answers in time", async () => {
    const { near, at } = await pair();
    const call = await near.call({ to: "9", at, from: "1", answerTimeoutMs: 30 });
    expect(await near.until(() => call.end)).toMatchObject({ by: "gateway", how: "unanswered", status: 487 });
  });

  it("ends where nobody is there at all", async () => {
    const { near } = await pair({}, { t1Ms: 1 });
    const call = await near.call({ to: "1", at: { host: "127.0.0.1", port: 9 }, from: "1" });
    expect(await near.until(() => call.end)).toMatchObject({ by: "gateway", how: "unanswered", status: undefined });
  });

  it.each([
    ["MD5", 401],
    ["SHA-256", 407],
  ] as const)("answers a challenge with %s after %i, and only with the right password", async (algorithm, status) => {
    const { near, at, far } = await pair({ auth: { realm: "dev", users: { trunk: "secret" }, algorithm, status } });
    const order = { to: "1", at, from: "1" };
    const call = await near.call({ ...order, credentials: { username: "trunk", password: "secret" } });
    await near.until(() => call.state === "answered");
    expect(far.calls[0]?.user).toBe("trunk");
    const refused = await near.call({ ...order, credentials: { username: "trunk", password: "guess" } });
    expect(await near.until(() => refused.end)).toMatchObject({ by: "callee", how: "refused", status });
  });
});

describe("in a call", () => {
  it("either side holds and comes back", async () => {
    const { near, far, call, there } = await connected();
    await call.hold();
    expect(there.peerDirection).toBe("sendonly");
    await call.resume();
    await hears(far, there, 800);
    await there.hold();
    expect(call.peerDirection).toBe("sendonly");
    await there.resume();
    await hears(near, call, 440);
  });

  it("comes to terms when both sides offer at once", async () => {
    const { call, there } = await connected();
    await Promise.all([call.hold(), there.hold()]);
    expect(call.state).toBe("answered");
    expect([call.peerDirection, there.peerDirection]).not.toContain("sendrecv");
  });

  it("keys go over as RTP events and as INFO", async () => {
    const { far, near, call, there } = await connected();
    await call.press("15#");
    expect(await far.until(() => there.digits.length === 3 && there.digits)).toEqual(
      ["1", "5", "#"].map((digit) => ({ digit, durationMs: 160 })),
    );
    await there.press("9");
    await near.until(() => call.digits.length === 1);
    expect(await call.info("7")).toBe(200);
    expect(await call.info("*", "dtmf")).toBe(200);
    expect(there.infoDigits).toEqual([
      { digit: "7", durationMs: 160 },
      { digit: "*", durationMs: 0 },
    ]);
  });

  it("no RTP events are agreed on where one side has none", async () => {
    const { call, there } = await connected({ rtpEvents: false });
    await expect(call.press("1")).rejects.toThrow("no RTP events");
    await expect(there.press("1")).rejects.toThrow("no RTP events");
  });

  it("an UPDATE says who is at the other end now", async () => {
    const { call, there } = await connected();
    expect(await call.update([["P-Asserted-Identity", "<tel:+441632960888>"]])).toBe(200);
    expect(there.lastHeaders("P-Asserted-Identity")).toEqual(["<tel:+441632960888>"]);
  });

  it("a REFER is followed, told of by NOTIFY, and the third party hears the second", async () => {
    const { near, far, call, there } = await connected();
    expect(await call.refer(`sip:2@127.0.0.1:${far.port}`)).toBe(202);
    await near.until(() => call.notified.includes(200));
    expect(call.notified[0]).toBe(100);
    const [referral] = there.referrals;
    expect(referral).toMatchObject({ target: `sip:2@127.0.0.1:${far.port}` });
    expect(referral?.referredBy).toContain("gateway@");
    const third = await far.until((calls) => calls.find(({ number: called }) => called === "2" && called));
    expect(third.direction).toBe("out");
    const taken = await far.until((calls) => calls.find((each) => each.number === "2" && each.direction === "in"));
    await Promise.all([hears(far, taken, 440), hears(far, third, 1_000)]);
  });

  it("a REFER to a number that refuses is told as such, and the call goes on", async () => {
    const numbers = [answers("1", 440), number("486", { do: "refuse", status: 486, reason: "Busy Here" })];
    const { near, far, call } = await connected({ numbers });
    expect(await call.refer(`sip:486@127.0.0.1:${far.port}`)).toBe(202);
    await near.until(() => call.notified.includes(486));
    expect(call.state).toBe("answered");
  });

  it("a REFER is refused where the gateway takes none", async () => {
    const { call, there } = await connected({ referStatus: 603 });
    expect(await call.refer("2")).toBe(603);
    expect(there.referrals).toEqual([]);
  });

  it("an INVITE with Replaces takes the place of a call", async () => {
    const { near, far, call, there } = await connected();
    const second = await near.call({ to: "2", at: { host: far.host, port: far.port }, from: "1" });
    const other = await far.until(([, next]) => next?.requests.includes("ACK") && next);
    await near.until(() => second.state === "answered");
    // The far end of the first call takes over the second one: its side of that dialog is named.
    const remote = /tag=([^;>]+)/.exec(second.headers("To")[0] ?? "")?.[1];
    const local = /tag=([^;>]+)/.exec(second.headers("From")[0] ?? "")?.[1];
    const replaces = encodeURIComponent(`${second.sipCallId};to-tag=${remote};from-tag=${local}`);
    await call.refer(`sip:gateway@127.0.0.1:${far.port}?Replaces=${replaces}`);
    await near.until(() => call.notified.includes(200));
    expect(await far.until(() => other.end)).toMatchObject({ by: "gateway", how: "replaced" });
    const joined = there.referrals[0]?.call;
    await far.until(() => joined?.heard(500, [1_000]).hz === 1_000 && joined.heard(500, [1_000]).ratio > 50);
    const unknown = encodeURIComponent("nobody;to-tag=1;from-tag=2");
    await call.refer(`sip:gateway@127.0.0.1:${far.port}?Replaces=${unknown}`);
    await near.until(() => call.notified.includes(481));
  });
});

describe("a number of the table", () => {
  const quick = quickNumbers(10);

  it("calls back after the call", async () => {
    const { near, call } = await connected({ numbers: quick }, { to: "+442079460203" });
    await call.hangUp();
    const back = await near.until((calls) => calls.find(({ direction }) => direction === "in"));
    expect(back.from.uri).toContain("+442079460203@");
    expect(back.number).toBe("+441632960123");
    await hears(near, back, 1_000);
  });

  it("sends the caller on", async () => {
    const { near, far, call } = await connected({ numbers: quick }, { to: "204" });
    const third = await near.until((calls) => calls.find(({ number: called }) => called === "02079460103"));
    await hears(near, third, 1_000);
    await near.until(() => call.referrals[0]?.notified.at(-1) === 200);
    await far.until(() => far.calls[0]?.notified.includes(200));
  });

  it("writes to whoever calls, and answers what is written to it", async () => {
    const { near, far } = await connected({ numbers: quick }, { to: "106" });
    await near.until(() => near.messages.some(({ text }) => text === "You called 106."));
    const at = { host: far.host, port: far.port };
    expect(await near.message({ to: "106", at, from: "1", text: "Grüße 👋" })).toBe(200);
    await near.until(() => near.messages.some(({ text }) => text === "You wrote: Grüße 👋"));
    expect(far.messages).toMatchObject([{ number: "106", text: "Grüße 👋", contentType: "text/plain", status: 200 }]);
    expect(await near.message({ to: "404", at, from: "1", text: "nobody" })).toBe(404);
  });
});

it("without an address or a registration there is nowhere to call", async () => {
  const { near } = await pair();
  await expect(near.call({ to: "1", from: "1" })).rejects.toMatchObject({ code: "no_destination" });
  await expect(near.call({ to: "sip:@", from: "1" })).rejects.toMatchObject({ code: "no_destination" });
});
