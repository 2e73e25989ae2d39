// URIs as tests write them.
import { parseUri, type SipUri, type TelUri, type Uri } from "../../../src/core/address/uri.ts";

export function sipUri(text: string): SipUri {
  const uri = anyUri(text);
  if (uri.kind !== "sip") throw new Error(`${text} is no sip URI`);
  return uri;
}

export function telUri(text: string): TelUri {
  const uri = anyUri(text);
  if (uri.kind !== "tel") throw new Error(`${text} is no tel URI`);
  return uri;
}

export function anyUri(text: string): Uri {
  const uri = parseUri(text);
  if (uri === undefined) throw new Error(`${text} is no URI`);
  return uri;
}
