// Stopping: nothing of the SIP edge keeps a process alive, whatever its calls are doing.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import type { SipTransportName } from "../../../src/ports/sip.ts";
import { userText } from "../../../src/core/address/uri.ts";
import type { Peer } from "../rig/peer.ts";
import { closeLater, startPeer } from "../rig/rig.ts";
import { ANSWER } from "../rig/stack.ts";

async function serve(peer: Peer): Promise<void> {
  for (;;) {
    const invite = await peer.request("INVITE");
    const user = userText(invite.message.uri);
    if (user === "rings") peer.reply(invite, 180);
    if (user === "refuses") peer.reply(invite, 486);
    if (user === "answers" || user === "forgets") peer.reply(invite, 200, { sdp: ANSWER });
  }
}

it("a bridge that stops in the middle of calls on UDP, TCP and WebSocket ends within its patience", async () => {
  const transports: readonly SipTransportName[] = ["udp", "tcp", "ws"];
  const peers = await Promise.all(transports.map((transport) => startPeer({ transport })));
  for (const peer of peers) void serve(peer);
  const program = fileURLToPath(new URL("exit-program.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", program, ...peers.map(({ port }) => String(port))],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  closeLater(async () => void child.kill("SIGKILL"));
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  expect(code).toBe(0);
  // The patience of 200 ms that the stack is given here, and the closing of sockets. Timers of SIP are 32 s.
  expect(Number(output)).toBeLessThan(5_000);
});
