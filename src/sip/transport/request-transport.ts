// Which transport a request goes by, and how its Via says so.
import type { SipTransportName } from "../../ports/sip.ts";
import type { SipMessage } from "../wire/message.ts";
import type { Uri } from "../wire/fields/uri.ts";
import { formatVia } from "../wire/fields/via.ts";

/** RFC 3261 s19.1.1, s26.2.2. A trunk that is encrypted stays so, whatever a peer's Contact says. */
export function transportOf(uri: Extract<Uri, { kind: "sip" }>, configured: SipTransportName): SipTransportName {
  if (configured === "tls" || uri.scheme === "sips") return "tls";
  const asked = uri.params.get("transport")?.toLowerCase();
  return asked === "udp" && configured === "udp" ? "udp" : asked === "tcp" || asked === "tls" ? asked : configured;
}

/** RFC 3261 s18.1.1: the top Via names the transport that is used. */
export function withTransport(text: string, message: SipMessage, transport: SipTransportName): string {
  const [via] = message.vias;
  const name = transport.toUpperCase();
  if (via.transport === name) return text;
  return text.replace(/\r\nVia: [^\r\n]*/, () => `\r\nVia: ${formatVia({ ...via, transport: name })}`);
}
