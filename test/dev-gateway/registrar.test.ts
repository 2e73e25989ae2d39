// The gateway as a registrar, seen from a raw socket: who is registered, and who is called there.
import { afterEach, describe, expect, it } from "vitest";
import { startGateway, type GatewayOptions } from "../../dev/gateway/gateway.ts";
import { rawPeer } from "./raw-peer.ts";

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

async function rig(options: GatewayOptions = {}, transport: "UDP" | "TCP" = "UDP") {
  const gateway = await startGateway(options);
  const peer = await rawPeer(gateway, transport);
  ending.push(
    () => gateway.stop(),
    () => peer.close(),
  );
  let cseq = 0;
  const register = async (expires: number | undefined, headers: readonly string[] = []) => {
    cseq += 1;
    const stated = expires === undefined ? [] : [`Expires: ${expires}`];
    peer.request("REGISTER", { uri: "sip:example.org", cseq, headers: [...stated, ...headers] });
    return await peer.until((message) => message.header("CSeq") === `${cseq} REGISTER`);
  };
  return { gateway, peer, register };
}

describe("a registration", () => {
  it("is kept, listed, renewed and taken back", async () => {
    const { gateway, register } = await rig();
    const first = await register(600);
    expect(first.status).toBe(200);
    expect(first.header("Contact")).toMatch(/^<sip:raw@127\.0\.0\.1:\d+>;expires=600$/);
    await register(300);
    expect(gateway.registrations).toMatchObject([{ address: "gateway@example.org", expiresSeconds: 300 }]);
    expect((await register(0)).header("Contact")).toBeUndefined();
    expect(gateway.registrations).toEqual([]);
  });

  it("is as long as the registrar wants it", async () => {
    const { gateway, register } = await rig({ registrar: { minExpiresSeconds: 120, maxExpiresSeconds: 200 } });
    const brief = await register(60);
    expect([brief.status, brief.header("Min-Expires")]).toEqual([423, "120"]);
    expect((await register(3_600)).header("Contact")).toContain(";expires=200");
    expect(gateway.registrations).toHaveLength(1);
  });

  it("runs out", async () => {
    const { gateway, register } = await rig({ registrar: { minExpiresSeconds: 1 } });
    await register(1);
    expect(gateway.registrations).toHaveLength(1);
    await expect.poll(() => gateway.registrations).toEqual([]);
  });

  it("is forgotten by a registrar that restarts", async () => {
    const { gateway, register } = await rig();
    await register(600);
    gateway.forgetRegistrations();
    expect(gateway.registrations).toEqual([]);
  });

  it("needs a password where the gateway asks for one", async () => {
    const { gateway, register } = await rig({ auth: { realm: "dev", users: { raw: "secret" } } });
    const refused = await register(600);
    expect(refused.status).toBe(401);
    expect(refused.header("WWW-Authenticate")).toContain('realm="dev"');
    expect(gateway.registrations).toEqual([]);
  });

  it.each(["UDP", "TCP"] as const)(
    "over %s leads calls to its Contact, by the path that it came",
    async (transport) => {
      const { gateway, peer, register } = await rig({}, transport);
      const path = `<sip:127.0.0.1:${gateway.port};lr>`;
      const answer = await register(600, [`Path: ${path}`, "Supported: path"]);
      expect(answer.header("Path")).toBe(path);
      const call = await gateway.call({ to: "+441632960001", from: "+441632960123" });
      const invite = await peer.until((message) => message.startLine.startsWith("INVITE "));
      expect(invite.startLine).toMatch(/^INVITE sip:\+441632960001@127\.0\.0\.1:\d+(;transport=tcp)? SIP\/2\.0$/);
      expect(invite.header("Route")).toBe(path);
      peer.answer(invite, "486 Busy Here");
      expect(await gateway.until(() => call.end)).toMatchObject({ by: "callee", status: 486 });
    },
  );
});
