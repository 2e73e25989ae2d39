// One trunk in the configuration. Descriptions are the reference that docs and sample are made of.
import type * as z from "zod";
import { identityPlaceholders } from "../core/policy/caller-identity.ts";
import {
  bindHost,
  flag,
  hostName,
  hostWithPort,
  listOf,
  mapOf,
  network,
  oneOf,
  seconds,
  section,
  text,
  whole,
} from "./scalars.ts";
import {
  challenge,
  dtmf,
  earlyMedia,
  inDialogRequests,
  messages,
  refer,
  registration,
  sessionTimer,
  transfer,
  trunkInbound,
} from "./trunk-calls-schema.ts";

const numberText = 'should be a telephone number in quotes, such as "+441632960123"';
const telephoneNumber = text(numberText).regex(/^\+?[0-9*#]{1,32}$/, { error: numberText });

const templateText = `should be text in which only ${identityPlaceholders.map((name) => `{${name}}`).join(", ")} stand in braces`;
const known = new RegExp(`^(?:[^{}]|\\{(?:${identityPlaceholders.join("|")})\\})+$`);
const template = text(templateText).regex(known, { error: templateText });
const uriTemplateText = `${templateText}, and that begins with sip:, sips: or tel:`;
const uriTemplate = template.regex(/^(?:sips?|tel):/, { error: uriTemplateText });

const identity = section({
  from_user: template
    .optional()
    .describe(
      `User part of From. Without it: the username of the credentials, or {number} where the trunk has none. ` +
        `Templates may hold ${identityPlaceholders.map((name) => `{${name}}`).join(", ")} of the Matrix user who calls.`,
    )
    .meta({ examples: ["{number}"] }),
  fallback_user: template
    .default("{localpart}")
    .describe("Used where from_user cannot be filled, because the caller has no number.")
    .meta({ examples: ["{localpart}"] }),
  from_host: hostName
    .optional()
    .describe("Host of From. Without it: the domain or server of the trunk.")
    .meta({ examples: ["sip.example.org"] }),
  from_display_name: template
    .optional()
    .describe("Display name of From. Without it: none.")
    .meta({ examples: ["{displayname}"] }),
  asserted: listOf(uriTemplate, "sip: or tel: URIs")
    .max(2, { error: "should hold two URIs at most, one sip: and one tel: (RFC 3325)" })
    .default([])
    .describe("P-Asserted-Identity, for trunks that trust this bridge (RFC 3325).")
    .meta({ examples: [["sip:{number}@sip.example.org"]] }),
  preferred: uriTemplate
    .optional()
    .describe("P-Preferred-Identity, for trunks that choose the number shown from what you ask for.")
    .meta({ examples: ["sip:{number}@sip.example.org"] }),
  privacy: listOf(oneOf(["id", "user", "header", "session", "critical", "none"]), "privacy values")
    .default([])
    .describe("Privacy header (RFC 3323): `id` withholds the number from the callee.")
    .meta({ examples: [["id"]] }),
  numbers: mapOf(telephoneNumber, "Matrix user ids to telephone numbers")
    .default({})
    .describe("The telephone number of each Matrix user, for {number}.")
    .meta({ examples: [{ "@alice:example.org": "+441632960123" }] }),
  default_number: telephoneNumber
    .optional()
    .describe("{number} of everybody who is not listed in numbers.")
    .meta({ examples: ["+441632960100"] }),
});

const pem = "should be PEM text, or give the key with _file and a path";
const path = "should be the path of a file";

const tls = section({
  ca: text(pem)
    .optional()
    .describe("Authorities to trust instead of the system's, as PEM text.")
    .meta({ examples: ["-----BEGIN CERTIFICATE----- ..."] }),
  ca_file: text(path)
    .optional()
    .describe("The same, read from a file.")
    .meta({ examples: ["ca.pem"] }),
  certificate: text(pem)
    .optional()
    .describe("Our own certificate, as PEM text, where the trunk asks for one.")
    .meta({ examples: ["-----BEGIN CERTIFICATE----- ..."] }),
  certificate_file: text(path)
    .optional()
    .describe("The same, read from a file.")
    .meta({ examples: ["client.pem"] }),
  key: text(pem)
    .optional()
    .describe("Its private key, as PEM text. Better a file, or the environment: MATRIX_SIP_TRUNK_<NAME>_TLS_KEY.")
    .meta({ examples: ["-----BEGIN PRIVATE KEY----- ..."] }),
  key_file: text(path)
    .optional()
    .describe("The same, read from a file.")
    .meta({ examples: ["client.key"] }),
  server_name: hostName
    .optional()
    .describe("Name to verify and to send as SNI. Without it: the host of the server.")
    .meta({ examples: ["sip.example.org"] }),
});

const credentials = section({
  username: text()
    .describe("User name for the digest challenges of the trunk.")
    .meta({ examples: ["account"] }),
  password: text()
    .optional()
    .describe(
      "Its password. Better a file, or the environment: MATRIX_SIP_TRUNK_<NAME>_PASSWORD, where <NAME> is the trunk's name in capitals, other characters as _.",
    )
    .meta({ examples: ["a-long-password"] }),
  password_file: text(path)
    .optional()
    .describe("The same, read from a file.")
    .meta({ examples: ["trunk-password"] }),
  realm: text()
    .optional()
    .describe(
      "The realm that the provider names when it asks for the password. Without it: the one that it names first. The password is never used for another realm. Set it when the log says that a challenge was not answered because of its realm.",
    )
    .meta({ examples: ["sip.example.org"] }),
});

const nameText = "should be a short name of letters, digits, hyphen and underscore";

export const trunk = section({
  name: text(nameText)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, { error: nameText })
    .describe("Name of the trunk in routes, logs and metrics.")
    .meta({ examples: ["main"] }),
  server: hostWithPort
    .describe(
      "The next SIP hop. Without a port: found by NAPTR and SRV, then the usual port of the transport (RFC 3263).",
    )
    .meta({ examples: ["sip.example.org"] }),
  more_servers: listOf(hostWithPort, "hosts")
    .max(8, { error: "should name 8 hosts at most" })
    .default([])
    .describe("Further gateways of the same trunk, used in this order while those before are down.")
    .meta({ examples: [["sip2.example.org"]] }),
  transport: oneOf(["udp", "tcp", "tls", "ws", "wss"]).default("udp").describe("How to reach it."),
  path: text("should be a path that begins with /")
    .regex(/^\/\S*$/, { error: "should be a path that begins with /" })
    .default("/")
    .describe("Path of the WebSocket, for ws and wss."),
  domain: hostWithPort
    .optional()
    .describe("Host of the URIs that are called, where it is not the server.")
    .meta({ examples: ["example.org"] }),
  listen: section({
    host: bindHost
      .default("0.0.0.0")
      .describe(
        "Address to listen on, and to send and connect from. Connections over TCP, TLS and WebSocket leave from any free port of it.",
      ),
    port: whole(0, 65_535, "port number")
      .default(0)
      .describe("Port to listen on; 0 takes any free one. A firewall wants a fixed one."),
  })
    .prefault({})
    .describe("Where the trunk reaches this bridge."),
  advertised: section({
    host: hostName.describe("Public address.").meta({ examples: ["203.0.113.5"] }),
    port: whole(1, 65_535, "port number")
      .optional()
      .describe("Public port, if it is another.")
      .meta({ examples: [5060] }),
  })
    .optional()
    .describe("What Via and Contact say instead, behind a NAT with a forwarded port."),
  tls: tls.prefault({}).describe("For tls and wss. The server's certificate is always verified."),
  credentials: credentials.optional().describe("For trunks that ask for a password (401 and 407)."),
  registration: registration.optional().describe("For trunks that want to be told where we are (REGISTER)."),
  challenge: challenge
    .optional()
    .describe(
      "For trunks that are to prove who they are when they call, not by their address but by a password of theirs.",
    ),
  peers: listOf(network, "networks")
    .default([])
    .describe("Networks that may send requests on this trunk, besides the addresses of the server itself.")
    .meta({ examples: [["192.0.2.0/24"]] }),
  options_interval_seconds: seconds(0, 3600)
    .default(60)
    .describe("Period of the OPTIONS that show whether the trunk is alive; 0 sends none."),
  number_format: oneOf(["e164", "e164-without-plus", "national", "as-dialled"])
    .default("e164")
    .describe("How the trunk wants numbers. Extensions and service codes are always sent as dialled."),
  number_prefix: text("should be digits, * and # in quotes")
    .regex(/^\+?[0-9*#]{1,32}$/, { error: "should be digits, * and # in quotes" })
    .optional()
    .describe("Put in front of every number as sent, such as a provider's technical prefix.")
    .meta({ examples: ["1234#"] }),
  user_phone: flag.default(false).describe("Adds user=phone to the URIs of numbers (RFC 3261 s19.1.1)."),
  identity: identity
    .prefault({})
    .describe("Under which identity calls are made. Providers differ: some refuse calls with 403 until it is right."),
  inbound: trunkInbound.prefault({}).describe("Calls from the trunk; whom they ring is said in the chapter inbound."),
  session_timer: sessionTimer
    .optional()
    .describe("Session timers (RFC 4028). Without it none is asked for, but one that the trunk asks for is kept to."),
  in_dialog_requests: inDialogRequests,
  dtmf,
  early_media: earlyMedia,
  transfer,
  refer,
  messages: messages.prefault({}).describe("Texts over the trunk."),
  media: section({
    srtp: oneOf(["off", "required"]).default("off").describe("SDES-SRTP to the trunk (RFC 4568)."),
    codecs: listOf(oneOf(["PCMU", "PCMA", "G722", "opus"]), "codecs")
      .min(1, { error: "should name one codec at least" })
      .default(["PCMA", "PCMU", "G722", "opus"])
      .describe("Codecs to offer, the best first. Nothing is transcoded."),
    rtp_networks: listOf(network, "networks")
      .default([])
      .describe("Networks that RTP may come from, besides the address that the trunk's SDP names.")
      .meta({ examples: [["192.0.2.0/24"]] }),
    rtp_peer: oneOf(["lock", "follow", "sdp"])
      .default("lock")
      .describe(
        "Where to send RTP. lock: the port that the trunk's first packet came from. follow: whichever port its last packet came from; for a trunk whose audio stops because it changes ports during a call without a pause. sdp: where its SDP says, wherever it sends from; for a trunk whose telephones hear nothing because it sends from one port and listens on another. In all three only addresses that SDP or rtp_networks names are heard.",
      ),
    relearn_seconds: seconds(1, 60)
      .default(1)
      .describe(
        "With lock and sdp, how long the trunk has to be silent before RTP from another port of the same address is taken for its new place. Raise it if the audio of another call is heard during pauses; leave it if the audio stops for good when the provider moves a call to another port.",
      ),
  })
    .prefault({})
    .describe("How RTP to the trunk looks."),
});

export type TrunkConfig = z.infer<typeof trunk>;
