// A gateway and a telephone that talks to it, both closed after each test.
import { afterEach } from "vitest";
import { startGateway, type Gateway, type GatewayOptions } from "../../dev/gateway/gateway.ts";
import { rawPeer, type RawPeer } from "./raw-peer.ts";

/** What is to be closed after the test. */
export const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

export async function rig(options: GatewayOptions = {}, transport: "UDP" | "TCP" = "UDP") {
  const gateway: Gateway = await startGateway(options);
  const peer: RawPeer = await rawPeer(gateway, transport);
  ending.push(
    () => gateway.stop(),
    () => peer.close(),
  );
  return { gateway, peer };
}
