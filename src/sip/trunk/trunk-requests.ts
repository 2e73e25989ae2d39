// What a trunk says in its own name and in nobody's call: where it is, OPTIONS to a gateway, REGISTER to a registrar.
import type { TrunkSettings } from "../../ports/sip.ts";
import type { RegisterParts } from "./registration.ts";
import type { Contacts } from "../headers/contact.ts";
import type { OutOfDialogParts } from "../user-agent/user-agent.ts";
import { defaultPort, unbracketed, type Endpoint, type Target } from "../transport/sockets/target.ts";
import { addressHeader, formatAddress, numberHeader, sipUri, tokensHeader } from "../wire/header-builder.ts";
import type { SipUri } from "../../core/address/uri.ts";

/** The user of our Contact, and of the address-of-record where the trunk registers. */
function accountUser({ registration, credentials, name }: TrunkSettings): string {
  return registration?.user ?? credentials?.username ?? name;
}

/** Where peers reach us; `local` as bound. Its host is an address in brackets where that is IPv6. */
export function contactUri(settings: TrunkSettings, local: Endpoint): SipUri {
  const { transport } = settings;
  const { host = local.address, port = local.port } = settings.local.advertised ?? {};
  // Port 0 is a socket that nobody can call: connections are opened by us.
  const shownPort = port === 0 || port === defaultPort(transport) ? undefined : port;
  // RFC 3261 s19.1.1, RFC 7118 s5.2: `ws` stands for both kinds of WebSocket.
  const named = transport === "wss" ? "ws" : transport;
  const params = transport === "udp" ? new Map<string, string>() : new Map([["transport", named]]);
  return sipUri({ user: accountUser(settings), host: unbracketed(host), port: shownPort, params });
}

/** The same as headers; for who calls by sips without the parameter, because TLS is what sips means (RFC 3261 s26.2.2). */
export function contactsOf({ transport }: TrunkSettings, contact: SipUri): Contacts {
  const usual = addressHeader("Contact", { uri: contact });
  if (transport !== "tls" && transport !== "wss") return { usual, secure: usual };
  const params = new Map([...contact.params].filter(([, value]) => value !== "tls"));
  return { usual, secure: addressHeader("Contact", { uri: { ...contact, scheme: "sips", params } }) };
}

/** To the gateway itself, by the name that it is configured under. */
export function optionsRequest(settings: TrunkSettings, target: Target, sipCallId: string): OutOfDialogParts {
  const { server, moreServers } = settings;
  const { host, port } =
    [server, ...moreServers].find(
      (one) => unbracketed(one.host) === target.host && (one.port === undefined || one.port === target.port),
    ) ?? server;
  return {
    method: "OPTIONS",
    uri: sipUri({ host: unbracketed(host), port }),
    from: formatAddress({ uri: sipUri({ user: accountUser(settings), host: unbracketed(server.host) }) }),
    sipCallId,
    headers: ["Accept: application/sdp"],
  };
}

/** RFC 3261 s10.2: the Request-URI is the registrar's domain, From and To are the address-of-record. */
export function registerRequest(settings: TrunkSettings, parts: RegisterParts): OutOfDialogParts {
  const { expiresSeconds, ...row } = parts;
  const host = settings.registration?.domain ?? unbracketed(settings.server.host);
  const record = sipUri({ user: accountUser(settings), host });
  return {
    ...row,
    method: "REGISTER",
    uri: sipUri({ host }),
    from: formatAddress({ uri: record }),
    to: record,
    // RFC 3327 s5: proxies on the way may put themselves into the way back.
    headers: [numberHeader("Expires", expiresSeconds), tokensHeader("Supported", ["path"])],
  };
}
