// Which transport a request goes by.
import type { SipTransportName } from "../../ports/sip.ts";
import type { Uri } from "../../core/address/uri.ts";

/** RFC 3261 s19.1.1, s26.2.2. A trunk that is encrypted stays so, whatever a peer's Contact says. */
export function transportOf(uri: Extract<Uri, { kind: "sip" }>, configured: SipTransportName): SipTransportName {
  if (configured === "tls" || uri.scheme === "sips") return "tls";
  const asked = uri.params.get("transport")?.toLowerCase();
  return asked === "udp" && configured === "udp" ? "udp" : asked === "tcp" || asked === "tls" ? asked : configured;
}
