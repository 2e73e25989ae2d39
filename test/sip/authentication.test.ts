// A trunk that asks who we are: one challenge or several, old nonces, wrong passwords.
import { describe, expect, it } from "vitest";
import { DigestVerifier } from "../../src/sip/wire/digest-verifier.ts";
import type { DigestAlgorithm } from "../../src/sip/wire/digest-challenge.ts";
import { textHeader } from "../../src/sip/wire/header-builder.ts";
import { lines, type Peer, type Received } from "./peer.ts";
import { rig } from "./rig.ts";
import { ANSWER } from "./stack.ts";
import type { SipRequest } from "../../src/sip/wire/message.ts";

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

function judge(invite: Received<SipRequest>, header: string, digest: DigestVerifier): string {
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

  it("a proxy and the server behind it are both answered", async () => {
    const { peer, stack } = await rig("udp", { credentials });
    const proxy = verifier(["MD5"], "proxy");
    const server = verifier(["SHA-256"], "server");
    const call = stack.invite();
    challenge(peer, await peer.request("INVITE"), "Proxy-Authenticate", proxy);
    challenge(peer, await peer.request("INVITE"), "WWW-Authenticate", server);
    const third = await peer.request("INVITE");
    expect(judge(third, "Proxy-Authorization", proxy)).toBe("accepted");
    expect(judge(third, "Authorization", server)).toBe("accepted");
    peer.reply(third, 486);
    await stack.fact(call, "sip.rejected");
  });

  it("two proxies that ask at once are both answered", async () => {
    const { peer, stack } = await rig("udp", { credentials });
    const [near, far] = [verifier(["MD5"], "near"), verifier(["SHA-256", "MD5"], "far")];
    const call = stack.invite();
    // In one response, as a forking proxy gathers them (RFC 3261 s16.7, item 7).
    const values = [...near.challenges(false), ...far.challenges(false)];
    const headers = values.map((value) => textHeader("Proxy-Authenticate", value));
    peer.reply(await peer.request("INVITE"), 407, { headers });
    const second = await peer.request("INVITE");
    expect(lines(second, "Proxy-Authorization")).toHaveLength(2);
    expect(judge(second, "Proxy-Authorization", near)).toBe("accepted");
    expect(judge(second, "Proxy-Authorization", far)).toBe("accepted");
    peer.reply(second, 486);
    await stack.fact(call, "sip.rejected");
  });

  it("that asks under another name each time is given up on", async () => {
    const { peer, stack } = await rig("udp", { credentials });
    const call = stack.invite();
    const endless = async (): Promise<void> => {
      for (let realm = 0; ; realm++) {
        challenge(peer, await peer.request("INVITE"), "Proxy-Authenticate", verifier(["MD5"], `realm-${realm}`));
      }
    };
    void endless();
    expect(await stack.fact(call, "sip.failed")).toMatchObject({ fault: "credentials" });
    expect(peer.count("INVITE")).toBe(6);
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
