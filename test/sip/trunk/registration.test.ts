// A trunk that has to know where we are: what its registrar sees of us, and what an operator sees when that fails.
import { describe, expect, it } from "vitest";
import type { SipTransportName } from "../../../src/ports/sip.ts";
import { sipUri, textHeader, type HeaderLine } from "../../../src/sip/wire/header-builder.ts";
import { header } from "../../../src/sip/wire/message.ts";
import { formatUri } from "../../../src/core/address/uri.ts";
import { Registration } from "../../../src/sip/trunk/registration.ts";
import type { Target } from "../../../src/sip/transport/sockets/target.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";
import { collectingLog } from "../../matrix/edge-rig.ts";
import { LossyHop } from "../rig/lossy-hop.ts";
import { contactPort, lines, type ReplyOptions } from "../rig/peer.ts";
import { closeLater, rig, standStill, startPeer, startStack } from "../rig/rig.ts";
import { hastyClock, trunkSettings } from "../rig/stack.ts";
import { registration, registering, bound, take, registered, cseq } from "./registering.ts";

describe("a trunk that registers", () => {
  it.each<SipTransportName>(["udp", "tcp", "tls", "ws", "wss"])(
    "over %s is up once its registrar has us",
    async (transport) => {
      const { peer, stack } = await rig(transport, registering);
      const register = await peer.request("REGISTER");
      expect(register.message.uriText).toBe("sip:registrar.example");
      expect(formatUri(register.message.from.uri)).toBe("sip:4930123@registrar.example");
      expect(formatUri(register.message.to.uri)).toBe("sip:4930123@registrar.example");
      expect(header(register.message, "Expires")).toBe("300");
      expect(header(register.message, "Supported")).toBe("path");
      expect(lines(register, "Contact")[0]).toMatch(/^<sip:4930123@127\.0\.0\.1[:;]/);
      expect(stack.trunks.health()[0]?.registered).toBe(false);
      take(peer, register);
      const health = await stack.health(({ state }) => state === "up");
      expect(health).toMatchObject({ registered: true, detail: expect.stringContaining("registered for 300 s") });
    },
  );

  it("registers again at 80 to 90 % of the time it was granted, with one Call-ID and a CSeq that grows", async () => {
    const pass = standStill();
    const { peer, stack } = await rig("udp", registering);
    const first = await peer.request("REGISTER");
    take(peer, first, { contacts: [bound(first, 120)] });
    await registered(stack);
    pass(95_900);
    expect(peer.count("REGISTER")).toBe(1);
    pass(12_200);
    const second = await peer.request("REGISTER");
    expect(second.message.sipCallId).toBe(first.message.sipCallId);
    expect(cseq(second)).toBe(cseq(first) + 1);
    expect(lines(second, "Contact")).toEqual(lines(first, "Contact"));
  });

  it("for hours looks every quarter of an hour whether its registrar still knows it", async () => {
    const pass = standStill();
    const { peer, stack } = await rig("udp", registering);
    const first = await peer.request("REGISTER");
    take(peer, first, { contacts: [bound(first, 4_294_967_295)] });
    await registered(stack);
    pass(719_000);
    expect(peer.count("REGISTER")).toBe(1);
    pass(92_000);
    await peer.request("REGISTER");
  });

  it("answers the challenge, each time anew", async () => {
    const pass = standStill();
    const { peer, stack } = await rig("udp", {
      ...registering,
      credentials: { username: "account", password: "secret" },
    });
    const challenge = (nonce: string, more = ""): ReplyOptions => ({
      headers: [
        textHeader("WWW-Authenticate", `Digest realm="r", nonce="${nonce}", algorithm=SHA-256, qop="auth"${more}`),
      ],
    });
    const first = await peer.request("REGISTER");
    peer.reply(first, 401, challenge("one"));
    const second = await peer.request("REGISTER");
    expect(cseq(second)).toBe(cseq(first) + 1);
    expect(header(second.message, "Authorization")).toMatch(
      /^Digest username="account".*nonce="one".*uri="sip:registrar\.example"/,
    );
    peer.reply(second, 401, challenge("two", ", stale=true"));
    const third = await peer.request("REGISTER");
    expect(header(third.message, "Authorization")).toContain('nonce="two"');
    take(peer, third);
    await registered(stack);
    pass(270_000);
    expect(cseq(await peer.request("REGISTER"))).toBe(cseq(third) + 1);
  });

  it("finds its own among several Contacts, however it is written", async () => {
    const pass = standStill();
    const { peer, stack } = await rig("udp", registering);
    const register = await peer.request("REGISTER");
    const own = `<sip:%34930123@127.0.0.1:${contactPort(register)};ob>;q=0.5;expires=60`;
    const others = [
      "<sip:4930123@127.0.0.1:1>;expires=3600",
      `"Desk" <sip:desk@127.0.0.1:${contactPort(register)}>;expires=20`,
    ];
    take(peer, register, { contacts: [others[0] ?? "", own, others[1] ?? ""] });
    await registered(stack);
    pass(47_900);
    expect(peer.count("REGISTER")).toBe(1);
    pass(6_200);
    await peer.request("REGISTER");
  });

  it("is registered where its Contact came back rewritten, beside the account's other telephones", async () => {
    const { peer, stack } = await rig("udp", registering);
    const contacts = ["<sip:4930123@203.0.113.9:1024>;expires=17", "<sip:4930123@203.0.113.9:40000>;expires=120"];
    take(peer, await peer.request("REGISTER"), { contacts });
    const health = await stack.health(({ state }) => state !== "unknown");
    expect(health).toMatchObject({ registered: true, detail: expect.stringContaining("registered for 120 s") });
  });

  it("takes Expires where its Contact says nothing, and what it asked for where nothing says anything", async () => {
    const pass = standStill();
    const { peer, stack } = await rig("udp", registering);
    const first = await peer.request("REGISTER");
    take(peer, first, { contacts: lines(first, "Contact"), headers: [textHeader("Expires", "100")] });
    await registered(stack);
    pass(90_100);
    const second = await peer.request("REGISTER");
    take(peer, second, { contacts: [] });
    await stack.health(({ detail }) => detail.includes("registered for 300 s"));
    pass(239_900);
    expect(peer.count("REGISTER")).toBe(2);
    pass(30_200);
    await peer.request("REGISTER");
  });

  it("whose registrar lists everybody but us is down", async () => {
    const { peer, stack } = await rig("udp", registering);
    take(peer, await peer.request("REGISTER"), { contacts: ["<sip:other@192.0.2.1>;expires=60"] });
    expect((await stack.health(({ state }) => state === "down")).detail).toContain("not with our Contact");
  });

  it("asks for longer where the registrar finds the interval too brief", async () => {
    const { peer, stack } = await rig("udp", registering);
    const first = await peer.request("REGISTER");
    peer.reply(first, 423, { headers: [textHeader("Min-Expires", "1800")] });
    const second = await peer.request("REGISTER");
    expect([header(second.message, "Expires"), cseq(second)]).toEqual(["1800", cseq(first) + 1]);
    take(peer, second);
    await registered(stack);
  });

  it("is not led around for ever by a registrar that finds every interval too brief", async () => {
    const { peer, stack } = await rig("udp", registering);
    for (let times = 1; times <= 6; times++) {
      peer.reply(await peer.request("REGISTER"), 423, { headers: [textHeader("Min-Expires", String(1_000 * times))] });
    }
    expect((await stack.health(({ state }) => state === "down")).detail).toContain("423");
  });

  it("is asked by its registrar, and answers", async () => {
    const { peer, stack } = await rig("udp", registering);
    const register = await peer.request("REGISTER");
    take(peer, register);
    await registered(stack);
    peer.datagram(
      `OPTIONS sip:4930123@127.0.0.1 SIP/2.0\r\n` +
        `Via: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bKask\r\nFrom: <sip:a@b>;tag=a\r\nTo: <sip:b@c>\r\n` +
        `Call-ID: ask\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`,
      contactPort(register),
    );
    expect((await peer.response("OPTIONS")).message.statusCode).toBe(200);
  });

  it("sends its calls by the way the registrar says", async () => {
    const { peer, stack } = await rig("udp", registering);
    const route = (value: string): HeaderLine => textHeader("Service-Route", value);
    const headers = [
      route("<sip:p1.example;lr>, <sip:p2.example;lr>"),
      route("<<broken>"),
      route("<sip:p3.example;lr>"),
    ];
    take(peer, await peer.request("REGISTER"), { headers });
    await registered(stack);
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    expect(lines(invite, "Route")).toEqual(["<sip:p1.example;lr>", "<sip:p2.example;lr>", "<sip:p3.example;lr>"]);
    peer.reply(invite, 486);
    expect(lines(await peer.request("ACK"), "Route")).toHaveLength(3);
    await stack.fact(call, "sip.rejected");
  });
});

describe("a registrar that refuses", () => {
  it("the credentials: said so, and asked again only much later", async () => {
    const pass = standStill();
    const { peer, stack } = await rig("udp", registering);
    peer.reply(await peer.request("REGISTER"), 403, { phrase: "Forbidden" });
    const health = await stack.health(({ state }) => state === "down");
    expect(health).toMatchObject({
      registered: false,
      detail: expect.stringContaining("REGISTER answered 403 Forbidden"),
    });
    pass(299_000);
    expect(peer.count("REGISTER")).toBe(1);
    pass(301_500);
    take(peer, await peer.request("REGISTER"));
    await registered(stack);
  });

  it("a challenge that its own credentials do not meet: the same", async () => {
    const { peer, stack } = await rig("udp", { ...registering, credentials: { username: "a", password: "b" } });
    for (const nonce of ["one", "two"]) {
      const headers = [textHeader("WWW-Authenticate", `Digest realm="r", nonce="${nonce}"`)];
      peer.reply(await peer.request("REGISTER"), 401, { headers });
    }
    expect((await stack.health(({ state }) => state === "down")).detail).toContain("REGISTER answered 401");
    expect(peer.count("REGISTER")).toBe(2);
  });

  it("for now: asked again after the time it names", async () => {
    const pass = standStill();
    const { peer, stack } = await rig("udp", registering);
    peer.reply(await peer.request("REGISTER"), 503, { headers: [textHeader("Retry-After", "90")] });
    await stack.health(({ state }) => state === "down");
    pass(89_900);
    expect(peer.count("REGISTER")).toBe(1);
    pass(1_200);
    take(peer, await peer.request("REGISTER"));
    await registered(stack);
  });
});

it("a REGISTER that was given up leaves CSeqs free for the answers to challenges that it may still meet", async () => {
  const clock = new VirtualClock(0);
  const cseqs: number[] = [];
  const target: Target = { transport: "udp", address: "192.0.2.1", port: 5060, host: "192.0.2.1", path: "/" };
  const asked = new Registration({
    expiresMs: 300_000,
    contact: sipUri({ user: "4930123", host: "192.0.2.2" }),
    answerWithinMs: 10_000,
    clock,
    log: collectingLog([]),
    pool: {
      pick: async (tried) => (tried?.size === 0 ? target : undefined),
      failed: () => {},
      answered: () => {},
    },
    // Nobody answers in time.
    ask: (_target, { cseq: number }) => void cseqs.push(number),
    onChange: () => {},
  });
  asked.start();
  await expect.poll(() => cseqs).toHaveLength(1);
  clock.advance(10_000);
  await expect.poll(() => asked.status.detail).toContain("not answered within 10000 ms");
  clock.advance(30_000);
  await expect.poll(() => cseqs).toHaveLength(2);
  const [first = 0, second = 0] = cseqs;
  // Five challenges are answered at most (digest-client-session.ts), each under the next CSeq.
  expect(second).toBeGreaterThan(first + 5);
});

it("works over IPv6", async () => {
  const peer = await startPeer({ host: "::1" });
  const server = { host: "::1", port: peer.port, path: "/" };
  const settings = { server, local: { host: "::1", port: 0, advertised: undefined } };
  const stack = await startStack(
    trunkSettings(0, { ...settings, registration: { ...registration, domain: undefined } }),
  );
  const register = await peer.request("REGISTER");
  expect(register.message.uriText).toBe("sip:[::1]");
  expect(lines(register, "Contact")[0]).toMatch(/^<sip:4930123@\[::1\]:\d+>$/);
  take(peer, register);
  await registered(stack);
});

it("is registered over a line that loses a fifth", async () => {
  const ports = { peer: 0 };
  const hop = await LossyHop.start(0.2, 20_261_122, () => ports.peer);
  closeLater(() => hop.close());
  const peer = await startPeer();
  ports.peer = peer.port;
  const credentials = { username: "account", password: "secret" };
  const brief = { ...registration, expiresMs: 10_000 };
  const stack = await startStack(trunkSettings(hop.port, { registration: brief, credentials }), {
    clock: hastyClock(),
  });
  const challenge = textHeader("WWW-Authenticate", 'Digest realm="r", nonce="n"');
  for (let bindings = 0; bindings < 8;) {
    const register = await peer.request("REGISTER");
    if (header(register.message, "Authorization") === undefined) peer.reply(register, 401, { headers: [challenge] });
    else {
      take(peer, register);
      bindings += 1;
    }
  }
  await registered(stack);
  expect(stack.log.map(({ message }) => message)).not.toContain("registration refused");
  expect(hop.lost).toBeGreaterThan(0);
});
