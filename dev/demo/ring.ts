// The gateway calls the demo's person: by the registration of the bridge if it made one, else where its trunk listens.
import type { GatewayCall, OutgoingCall } from "../gateway/gateway.ts";
import { PERSON } from "./config-text.ts";
import { DemoError } from "./options.ts";
import type { Stack } from "./stack.ts";

/** Whoever calls back reaches a tone of 440 Hz. */
const CALLER = "+442079460102";

/** Resolves when the INVITE is out. Throws DemoError where the configuration says no place to call. */
export async function ringPerson(
  { gateway, config }: Stack,
  order: Pick<OutgoingCall, "sound" | "answerTimeoutMs" | "credentials"> & { readonly from?: string },
): Promise<GatewayCall> {
  const trunk = config.trunks[0];
  const { host = "127.0.0.1", port = 0 } = trunk?.listen ?? {};
  const registered = gateway.registrations.length > 0;
  if (port === 0 && !registered) {
    throw new DemoError("usage", "The gateway cannot call: the trunk needs listen.port, or a registration.");
  }
  const at = {
    host: host === "0.0.0.0" ? "127.0.0.1" : host,
    port,
    transport: trunk?.transport === "tcp" ? "TCP" : "UDP",
  } as const;
  return await gateway.call({
    to: PERSON.number,
    displayName: "The gateway",
    ...order,
    from: order.from ?? CALLER,
    ...(registered ? {} : { at }),
  });
}
