// The gateway asks who calls, on the wire.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { rig } from "./gateway-rig.ts";
import { offerOf } from "./raw-peer.ts";

const OFFER = offerOf(40_000);

describe("with digest", () => {
  const uri = "sip:02079460102@127.0.0.1";

  /** Credentials as RFC 7616 s3.4 computes them, for a nonce count. */
  function credentials(challenge: string, password: string, count: string): string {
    const field = (name: string) => new RegExp(`${name}="?([^",]+)`).exec(challenge)?.[1] ?? "";
    const hash = (text: string) =>
      createHash(field("algorithm") === "MD5" ? "md5" : "sha256")
        .update(text)
        .digest("hex");
    const middle = [field("nonce"), count, "c0ffee", "auth"].join(":");
    const response = hash(`${hash(`bridge:dev:${password}`)}:${middle}:${hash(`INVITE:${uri}`)}`);
    return `Digest username="bridge", realm="dev", nonce="${field("nonce")}", uri="${uri}", response="${response}", algorithm=${field("algorithm")}, qop=auth, cnonce="c0ffee", nc=${count}`;
  }

  it.each([
    ["MD5", 401, "WWW-Authenticate", "Authorization"],
    ["SHA-256", 407, "Proxy-Authenticate", "Proxy-Authorization"],
  ] as const)("%s with %i: who knows the password may call, once for each nonce count", async (...row) => {
    const [algorithm, status, asks, answers] = row;
    const { gateway, peer } = await rig({ auth: { realm: "dev", users: { bridge: "secret" }, algorithm, status } });
    peer.request("INVITE", { uri, body: OFFER });
    const challenge = (await peer.status(status)).header(asks) ?? "";
    expect(challenge).toContain(`algorithm=${algorithm}`);
    expect(challenge).not.toContain("stale");

    const wrong = `${answers}: ${credentials(challenge, "guess", "00000001")}`;
    peer.request("INVITE", { uri, body: OFFER, cseq: 2, headers: [wrong] });
    await peer.status(status, "2 INVITE");
    expect(gateway.calls).toHaveLength(0);

    const right = `${answers}: ${credentials(challenge, "secret", "00000001")}`;
    peer.request("INVITE", { uri, body: OFFER, cseq: 3, headers: [right] });
    await peer.status(180);
    expect(gateway.calls[0]?.user).toBe("bridge");

    peer.request("INVITE", { uri, body: OFFER, cseq: 4, headers: [right] });
    expect((await peer.status(status, "4 INVITE")).header(asks)).toContain("stale=true");
  });
});
