// A process that uses trunks of every kind, has calls in every state, stops them and ends by itself. Started by
// exit.test.ts with the ports of its peers; whatever keeps it alive is a timer or a socket that was left behind.
import type { SipTransportName, TrunkSettings } from "../../../src/ports/sip.ts";
import { trunkName } from "../../../src/core/ids.ts";
import { Stack, trunkSettings } from "../rig/stack.ts";

const transports: readonly SipTransportName[] = ["udp", "tcp", "ws"];
const trunks: TrunkSettings[] = process.argv.slice(2).map((port, index) => {
  const transport = transports[index] ?? "udp";
  return trunkSettings(Number(port), { name: trunkName(`trunk-${transport}`), transport, optionsIntervalMs: 60_000 });
});

const stack = await Stack.start(trunks);
for (const { name } of trunks) {
  for (const user of ["answers", "rings", "refuses", "mute", "forgets"]) {
    const call = stack.invite({ trunk: name, target: `sip:${user}@gateway.example` });
    if (user === "answers" || user === "forgets") await stack.fact(call, "sip.accepted");
    if (user === "rings") await stack.fact(call, "sip.ringing");
    if (user === "refuses") await stack.fact(call, "sip.rejected");
    if (user === "mute") await stack.fact(call, "sip.sent");
    // Its BYE is never answered, its CANCEL never sent.
    if (user === "forgets") stack.trunks.bye(call);
    if (user === "mute") stack.trunks.cancel(call);
  }
}
const startedMs = Date.now();
await stack.stop();
process.on("exit", () => void process.stdout.write(`${Date.now() - startedMs}\n`));
