// A sip URI as tests write it.
import { parseUri, type SipUri } from "../../../src/core/address/uri.ts";

export function sipUri(text: string): SipUri {
  const uri = parseUri(text);
  if (uri?.kind !== "sip") throw new Error(`${text} is no sip URI`);
  return uri;
}
