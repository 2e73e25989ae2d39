// A trunk that asks who we are: one challenge or several, old nonces, wrong passwords.
import { describe, expect, it } from "vitest";
import { DigestVerifier } from "../../../src/sip/wire/digest/digest-verifier.ts";
import type { DigestAlgorithm } from "../../../src/sip/wire/digest/digest-challenge.ts";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import { lines, type Peer, type Received } from "../rig/peer.ts";
import { rig, startPeer, type Rig } from "../rig/rig.ts";
import { ANSWER } from "../rig/stack.ts";
import type { SipRequest } from "../../../src/sip/wire/message.ts";

const credentials = { username: "bridge", password: "s3cret" };

function verifier(algorithms: readonly DigestAlgorithm[], realm = "gateway"): DigestVerifier {
  return new DigestVerifier({ realm, algorithms, qop: "auth", nonceLifetimeMs: 60_000, nowMs: () => Date.now() });
}

function challenge(
  peer: Peer,
  invite: Received<SipRequest>,
  name: string,
  digest: DigestVerifier,
  stale = false,
): void {
  const status = name === "WWW-Authenticate" ? 401 : 407;
  peer.reply(invite, status, { headers: digest.challenges(stale).map((value) => textHeader(name, value)) });
}

function judge(invite: Received<SipRequest> | undefined, header: string, digest: DigestVerifier): string {
  if (invite === undefined) return "not sent";
  const passwordOf = (name: string): string | undefined =>
    name === credentials.username ? credentials.password : undefined;
  return digest.verify(lines(invite, header), "INVITE", passwordOf).outcome;
}

describe("a trunk with a password", () => {
  it.each<[string, string, DigestAlgorithm[]]>([
    ["MD5 from a proxy", "Proxy", ["MD5"]],
    ["SHA-256 from a proxy", "Proxy", ["SHA-256"]],
    ["both, SHA-256 first", "Proxy", ["SHA-256", "MD5"]],
    ["both, MD5 first", "Proxy", ["MD5", "SHA-256"]],
    ["MD5 from the server itself", "WWW", ["MD5"]],
    ["SHA-256 from the server itself", "WWW", ["SHA-256"]],
  ])("%s: the caller notices nothing", async (_title, who, algorithms) => {
    const { peer, stack } = await rig("udp", { credentials });
    const digest = verifier(algorithms);
    const call = stack.invite();
    const first = await peer.request("INVITE");
    challenge(peer, first, `${who}-Authenticate`, digest);
    const second = await peer.request("INVITE");
    const answer = who === "WWW" ? "Authorization" : "Proxy-Authorization";
    expect(lines(second, answer)).toHaveLength(1);
    if (algorithms.includes("SHA-256")) expect(lines(second, answer)[0]).toContain("algorithm=SHA-256");
    expect(judge(second, answer, digest)).toBe("accepted");
    expect(second.message.sipCallId).toBe(first.message.sipCallId);
    expect(second.message.fromTag).toBe(first.message.fromTag);
    expect(second.message.cseq.number).toBe(first.message.cseq.number + 1);
    peer.reply(second, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    const ack = await peer.next(
      (message) => message.kind === "request" && message.method === "ACK" && message.cseq.number === 2,
    );
    expect(lines(ack, answer)).toEqual(lines(second, answer));
    expect(stack.kinds(call)).toEqual(["sip.accepted"]);
    const sent = stack.facts.get(call)?.filter(({ kind }) => kind === "sip.sent");
    expect(sent).toMatchObject([{ invite: { cseq: 1 } }, { invite: { cseq: 2 } }]);
  });

  it("a nonce that has gone stale is answered with a new one", async () => {
    const { peer, stack } = await rig("udp", { credentials });
    const digest = verifier(["MD5"]);
    const call = stack.invite();
    challenge(peer, await peer.request("INVITE"), "Proxy-Authenticate", digest);
    challenge(peer, await peer.request("INVITE"), "Proxy-Authenticate", digest, true);
    const third = await peer.request("INVITE");
    expect(judge(third, "Proxy-Authorization", digest)).toBe("accepted");
    peer.reply(third, 486);
    await stack.fact(call, "sip.rejected");
  });

  it("a proxy and the server behind it are both answered, where both are the trunk's realm", async () => {
    const { peer, stack } = await rig("udp", { credentials });
    const [proxy, server] = [verifier(["MD5"]), verifier(["SHA-256"])];
    const call = stack.invite();
    challenge(peer, await peer.request("INVITE"), "Proxy-Authenticate", proxy);
    challenge(peer, await peer.request("INVITE"), "WWW-Authenticate", server);
    const third = await peer.request("INVITE");
    expect(judge(third, "Proxy-Authorization", proxy)).toBe("accepted");
    expect(judge(third, "Authorization", server)).toBe("accepted");
    peer.reply(third, 486);
    await stack.fact(call, "sip.rejected");
  });

  /** Who asked in an INVITE's 407, and what went out after it; undefined: nothing. */
  async function answerTo(all: Rig, ...digests: readonly DigestVerifier[]): Promise<Received<SipRequest> | undefined> {
    const { peer, stack } = all;
    const call = stack.invite();
    const values = digests.flatMap((digest) => digest.challenges(false));
    const headers = values.map((value) => textHeader("Proxy-Authenticate", value));
    peer.reply(await peer.request("INVITE"), 407, { headers });
    const isOver = (): boolean => stack.kinds(call).includes("sip.failed");
    const asked = peer.count("INVITE");
    await expect.poll(() => isOver() || peer.count("INVITE") > asked, { interval: 1 }).toBe(true);
    if (isOver()) {
      expect(await stack.fact(call, "sip.failed")).toMatchObject({ fault: "credentials" });
      return undefined;
    }
    const again = await peer.request("INVITE");
    peer.reply(again, 486);
    await stack.fact(call, "sip.rejected");
    return again;
  }

  function unanswered({ stack }: Rig): unknown {
    return stack.log.find(({ message }) => message === "did not answer the trunk's challenge with the password")
      ?.fields;
  }

  it("is answered in the realm that it named first, and in no other", async () => {
    const all = await rig("udp", { credentials });
    const own = verifier(["MD5"], "provider");
    expect(judge(await answerTo(all, own), "Proxy-Authorization", own)).toBe("accepted");
    expect(await answerTo(all, verifier(["MD5"], "somebody"))).toBeUndefined();
    expect(unanswered(all)).toMatchObject({
      why: "another realm than the trunk's",
      realm: "somebody",
      ours: ["provider"],
      setting: "credentials.realms",
    });
    // Beside its own, another one's is passed over.
    const both = await answerTo(all, verifier(["MD5"], "somebody"), own);
    expect(both && lines(both, "Proxy-Authorization")).toHaveLength(1);
    expect(judge(both, "Proxy-Authorization", own)).toBe("accepted");
  });

  it("is answered in the realm that is set, from the first challenge on", async () => {
    const all = await rig("udp", { credentials: { ...credentials, realms: ["provider"] } });
    expect(await answerTo(all, verifier(["MD5"], "somebody"))).toBeUndefined();
    const own = verifier(["MD5"], "provider");
    expect(judge(await answerTo(all, own), "Proxy-Authorization", own)).toBe("accepted");
  });

  it("two proxies, each with a realm of its own, are both answered where both realms are set", async () => {
    const { peer, stack } = await rig("udp", { credentials: { ...credentials, realms: ["outer", "inner"] } });
    const [outer, inner] = [verifier(["SHA-256"], "outer"), verifier(["MD5"], "inner")];
    const call = stack.invite();
    challenge(peer, await peer.request("INVITE"), "Proxy-Authenticate", outer);
    challenge(peer, await peer.request("INVITE"), "Proxy-Authenticate", inner);
    const third = await peer.request("INVITE");
    expect(lines(third, "Proxy-Authorization")).toHaveLength(2);
    expect(judge(third, "Proxy-Authorization", outer)).toBe("accepted");
    expect(judge(third, "Proxy-Authorization", inner)).toBe("accepted");
    peer.reply(third, 486);
    await stack.fact(call, "sip.rejected");
  });

  it("learned its realm at the registration", async () => {
    const registration = { user: undefined, domain: undefined, expiresMs: 600_000 };
    const all = await rig("udp", { credentials, registration });
    const { peer, stack } = all;
    const register = await peer.request("REGISTER");
    peer.reply(register, 401, {
      headers: verifier(["MD5"], "provider")
        .challenges(false)
        .map((value) => textHeader("WWW-Authenticate", value)),
    });
    const contact = lines(register, "Contact").map((value) => textHeader("Contact", value));
    peer.reply(await peer.request("REGISTER"), 200, { contact: false, headers: contact });
    await stack.health(({ registered }) => registered === true);
    expect(await answerTo(all, verifier(["MD5"], "somebody"))).toBeUndefined();
  });

  const withoutQop = (algorithms: readonly DigestAlgorithm[]): DigestVerifier =>
    new DigestVerifier({
      realm: "gateway",
      algorithms,
      qop: undefined,
      nonceLifetimeMs: 60_000,
      nowMs: () => Date.now(),
    });

  it.each([
    ["MD5 after SHA-256", verifier(["SHA-256", "MD5"]), verifier(["MD5"])],
    ["no qop after qop", verifier(["MD5"]), withoutQop(["MD5"])],
    ["SHA-256 without qop after MD5 with it", verifier(["MD5"]), withoutQop(["SHA-256"])],
  ])("that asks for less than before is not answered: %s", async (_what, before, later) => {
    const all = await rig("udp", { credentials });
    expect(await answerTo(all, before)).toBeDefined();
    expect(await answerTo(all, later)).toBeUndefined();
    expect(unanswered(all)).toMatchObject({ why: "weaker than what this trunk has asked for before" });
  });

  it("that asks for more than before is", async () => {
    const all = await rig("udp", { credentials });
    expect(await answerTo(all, withoutQop(["MD5"]))).toBeDefined();
    expect(await answerTo(all, verifier(["MD5"]))).toBeDefined();
    expect(await answerTo(all, verifier(["SHA-256"]))).toBeDefined();
  });

  it("that asks under another name each time is given up on after the first", async () => {
    const { peer, stack } = await rig("udp", { credentials });
    const call = stack.invite();
    const endless = async (): Promise<void> => {
      for (let realm = 0; ; realm++) {
        challenge(peer, await peer.request("INVITE"), "Proxy-Authenticate", verifier(["MD5"], `realm-${realm}`));
      }
    };
    void endless();
    expect(await stack.fact(call, "sip.failed")).toMatchObject({ fault: "credentials" });
    expect(peer.count("INVITE")).toBe(2);
  });

  it("whose Contact leads elsewhere: who is there gets no credentials, neither in ACK nor for asking at the BYE", async () => {
    const { peer, stack } = await rig("udp", { credentials });
    const stranger = await startPeer({ host: "127.0.0.9" });
    const digest = verifier(["MD5"]);
    const call = stack.invite();
    challenge(peer, await peer.request("INVITE"), "Proxy-Authenticate", digest);
    const invite = await peer.request("INVITE");
    expect(judge(invite, "Proxy-Authorization", digest)).toBe("accepted");
    peer.reply(invite, 200, { sdp: ANSWER, contact: false, headers: [stranger.contact] });
    await stack.fact(call, "sip.accepted");
    expect((await stranger.request("ACK")).text).not.toMatch(/Authorization:/);
    stack.trunks.bye(call);
    const bye = await stranger.request("BYE");
    challenge(stranger, bye, "Proxy-Authenticate", digest);
    await stack.fact(call, "sip.ended");
    expect(stranger.log.map(({ text }) => text).join("")).not.toMatch(/Authorization:/);
    expect(stranger.count("BYE")).toBe(1);
    expect(stack.log).toContainEqual({
      level: "warn",
      message: "did not answer a challenge from an address that is not a server of the trunk",
      fields: { address: "127.0.0.9", method: "BYE", setting: "more_servers", refusedSoFar: 1 },
    });
  });

  it("gets no credentials in PRACK that were made for INVITE, and fresh ones when it asks", async () => {
    const { peer, stack } = await rig("udp", { credentials });
    const digest = verifier(["MD5"]);
    stack.invite();
    challenge(peer, await peer.request("INVITE"), "Proxy-Authenticate", digest);
    const invite = await peer.request("INVITE");
    peer.reply(invite, 183, { headers: [textHeader("Require", "100rel"), textHeader("RSeq", "1")] });
    const first = await peer.request("PRACK");
    expect(lines(first, "Proxy-Authorization")).toEqual([]);
    challenge(peer, first, "Proxy-Authenticate", digest);
    const second = await peer.request("PRACK");
    const passwordOf = (): string => credentials.password;
    expect(digest.verify(lines(second, "Proxy-Authorization"), "PRACK", passwordOf).outcome).toBe("accepted");
    expect(lines(second, "RAck")).toEqual(lines(first, "RAck"));
  });

  it("that asks at the CANCEL, which it must not: the CANCEL is not sent again", async () => {
    const { peer, stack } = await rig("udp", { credentials });
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 180);
    await stack.fact(call, "sip.ringing");
    stack.trunks.cancel(call);
    challenge(peer, await peer.request("CANCEL"), "Proxy-Authenticate", verifier(["MD5"]));
    peer.reply(invite, 487);
    await stack.fact(call, "sip.ended");
    expect(peer.count("CANCEL")).toBe(1);
  });

  it("wrong: asked once, never twice with the same", async () => {
    const { peer, stack } = await rig("udp", { credentials: { ...credentials, password: "wrong" } });
    const digest = verifier(["MD5"]);
    const call = stack.invite();
    challenge(peer, await peer.request("INVITE"), "Proxy-Authenticate", digest);
    const second = await peer.request("INVITE");
    expect(judge(second, "Proxy-Authorization", digest)).toBe("wrong");
    challenge(peer, second, "Proxy-Authenticate", digest);
    expect(await stack.fact(call, "sip.failed")).toMatchObject({ fault: "credentials" });
    expect(peer.count("INVITE")).toBe(2);
    expect(stack.kinds(call)).toEqual(["sip.failed"]);
  });

  it("that calls every nonce stale is given up on", async () => {
    const { peer, stack } = await rig("udp", { credentials });
    const digest = verifier(["MD5"]);
    const call = stack.invite();
    const endless = async (): Promise<void> => {
      for (;;) challenge(peer, await peer.request("INVITE"), "Proxy-Authenticate", digest, true);
    };
    void endless();
    expect(await stack.fact(call, "sip.failed")).toMatchObject({ fault: "credentials" });
    expect(peer.count("INVITE")).toBeLessThan(10);
  });

  it("that we have none for: the caller is told that the login failed", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    challenge(peer, await peer.request("INVITE"), "WWW-Authenticate", verifier(["MD5"]));
    expect(await stack.fact(call, "sip.failed")).toMatchObject({ fault: "credentials" });
    expect(peer.count("INVITE")).toBe(1);
  });

  it("that asks for an algorithm nobody knows", async () => {
    const { peer, stack } = await rig("udp", { credentials });
    const call = stack.invite();
    const headers = [textHeader("WWW-Authenticate", 'Digest realm="r", nonce="n", algorithm=WHIRLPOOL')];
    peer.reply(await peer.request("INVITE"), 401, { headers });
    expect(await stack.fact(call, "sip.failed")).toMatchObject({ fault: "credentials" });
  });

  it("that also asks at the BYE", async () => {
    const { peer, stack } = await rig("udp", { credentials });
    const digest = verifier(["MD5"]);
    const call = stack.invite();
    peer.reply(await peer.request("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    stack.trunks.bye(call);
    const first = await peer.request("BYE");
    challenge(peer, first, "Proxy-Authenticate", digest);
    const second = await peer.request("BYE");
    expect(second.message.cseq.number).toBe(first.message.cseq.number + 1);
    peer.reply(second, 200);
    await stack.fact(call, "sip.ended");
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.ended"]);
  });
});
