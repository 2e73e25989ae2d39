// One trunk in the configuration. Descriptions are the reference that docs and sample are made of.
import type * as z from "zod";
import { identityPlaceholders } from "../../core/policy/caller-identity.ts";
import {
  bindHost,
  countryCode,
  flag,
  hostName,
  hostWithPort,
  listOf,
  mapOf,
  network,
  oneOf,
  seconds,
  secretFile,
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
      `User part of From. Default: the username of the credentials, or {number} if the trunk has none. ` +
        `Templates may contain ${identityPlaceholders.map((name) => `{${name}}`).join(", ")}, all of the Matrix user who calls.`,
    )
    .meta({ examples: ["{number}"] }),
  fallback_user: template
    .default("{localpart}")
    .describe("User part of From when `from_user` cannot be filled, because the caller has no number.")
    .meta({ examples: ["{localpart}"] }),
  from_host: hostName
    .optional()
    .describe("Host of From. Default: the trunk's domain or server.")
    .meta({ examples: ["sip.example.org"] }),
  from_display_name: template
    .optional()
    .describe("Display name of From. Default: none.")
    .meta({ examples: ["{displayname}"] }),
  asserted: listOf(uriTemplate, "sip: or tel: URIs")
    .max(2, { error: "should hold two URIs at most, one sip: and one tel: (RFC 3325)" })
    .default([])
    .describe("P-Asserted-Identity (RFC 3325), for trunks that trust the bridge to name the caller.")
    .meta({ examples: [["sip:{number}@sip.example.org"]] }),
  preferred: uriTemplate
    .optional()
    .describe("P-Preferred-Identity (RFC 3325), for trunks that let you ask for one of your numbers.")
    .meta({ examples: ["sip:{number}@sip.example.org"] }),
  privacy: listOf(oneOf(["id", "user", "header", "session", "critical", "none"]), "privacy values")
    .default([])
    .describe("Values of the Privacy header (RFC 3323). `id` withholds the number from the person called.")
    .meta({ examples: [["id"]] }),
  numbers: mapOf(telephoneNumber, "Matrix user ids to telephone numbers")
    .default({})
    .describe("The telephone number of each Matrix user, for {number}.")
    .meta({ examples: [{ "@alice:example.org": "+441632960123" }] }),
  default_number: telephoneNumber
    .optional()
    .describe("The number to use as {number} for everybody not listed in `numbers`.")
    .meta({ examples: ["+441632960100"] }),
});

const pem = "should be PEM text, or give the key with _file and a path";
const tls = section({
  ca: text(pem)
    .optional()
    .describe(
      "Certificate authorities to trust instead of the system's, as PEM text. Set it if the trunk's certificate is self-signed or your own.",
    )
    .meta({ examples: ["-----BEGIN CERTIFICATE----- ..."] }),
  ca_file: secretFile("ca.pem"),
  certificate: text(pem)
    .optional()
    .describe("The bridge's own certificate as PEM text, if the trunk asks for one.")
    .meta({ examples: ["-----BEGIN CERTIFICATE----- ..."] }),
  certificate_file: secretFile("client.pem"),
  key: text(pem)
    .optional()
    .describe(
      "Private key of that certificate as PEM text. Keep it out of this file if you can: use `key_file`, or the environment variable MATRIX_SIP_TRUNK_<NAME>_TLS_KEY.",
    )
    .meta({ examples: ["-----BEGIN PRIVATE KEY----- ..."] }),
  key_file: secretFile("client.key"),
  server_name: hostName
    .optional()
    .describe("Name to send as SNI and to look for in the trunk's certificate. Default: the host of `server`.")
    .meta({ examples: ["sip.example.org"] }),
});

const credentials = section({
  username: text()
    .describe("User name of your account at the trunk.")
    .meta({ examples: ["account"] }),
  password: text()
    .optional()
    .describe(
      "Password of the account. Keep it out of this file if you can: use `password_file`, or the environment variable MATRIX_SIP_TRUNK_<NAME>_PASSWORD, where <NAME> is the trunk's name in capitals, with _ for other characters.",
    )
    .meta({ examples: ["a-long-password"] }),
  password_file: secretFile("trunk-password"),
  realms: listOf(text(), "realms")
    .default([])
    .describe(
      "Realms that the provider names when it asks for the password. The bridge never uses the password for any other. Default: the first realm that the provider names. Set it if the log says that a challenge was not answered because of its realm, or if two proxies of the provider ask in two realms.",
    )
    .meta({ examples: [["sip.example.org"]] }),
});

const nameText = "should be a short name of letters, digits, hyphen and underscore";

export const trunk = section({
  name: text(nameText)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, { error: nameText })
    .describe("Name of the trunk in routes, logs and metrics.")
    .meta({ examples: ["main"] }),
  server: hostWithPort
    .describe(
      "Host of the provider or PBX. Without a port, the bridge looks it up by NAPTR and SRV, then uses the transport's usual port (RFC 3263).",
    )
    .meta({ examples: ["sip.example.org"] }),
  more_servers: listOf(hostWithPort, "hosts")
    .max(8, { error: "should name 8 hosts at most" })
    .default([])
    .describe("Further gateways of the same trunk, used in this order while those before them are down.")
    .meta({ examples: [["sip2.example.org"]] }),
  transport: oneOf(["udp", "tcp", "tls", "ws", "wss"]).default("udp").describe("Transport to the trunk."),
  path: text("should be a path that begins with /")
    .regex(/^\/\S*$/, { error: "should be a path that begins with /" })
    .default("/")
    .describe("Path of the WebSocket, for `ws` and `wss`."),
  domain: hostWithPort
    .optional()
    .describe(
      "Host in the URIs of called numbers. Set it if the provider wants its domain there and not the name of its server. Default: `server`.",
    )
    .meta({ examples: ["example.org"] }),
  listen: section({
    host: bindHost
      .default("0.0.0.0")
      .describe(
        "Address to listen on, and to send and connect from. Connections over TCP, TLS and WebSocket leave from any free port of it.",
      ),
    port: whole(0, 65_535, "port number")
      .default(0)
      .describe(
        "Port to listen on. 0 takes any free port. Set a fixed port if a firewall is in the way, or if the trunk has to find the bridge without a registration.",
      ),
  })
    .prefault({})
    .describe("Where the bridge listens for this trunk."),
  advertised: section({
    host: hostName.describe("Public address.").meta({ examples: ["203.0.113.5"] }),
    port: whole(1, 65_535, "port number")
      .optional()
      .describe("Public port. Default: `listen.port`.")
      .meta({ examples: [5060] }),
  })
    .optional()
    .describe("The public address, if the bridge is behind NAT with a forwarded port. Via and Contact then name it."),
  tls: tls.prefault({}).describe("For `tls` and `wss`. The bridge always verifies the trunk's certificate."),
  credentials: credentials.optional().describe("For trunks that ask for a password (401 and 407)."),
  registration: registration
    .optional()
    .describe(
      "For trunks that want the bridge to register (REGISTER). Without this section the bridge does not register.",
    ),
  challenge: challenge
    .optional()
    .describe(
      "Makes the trunk prove with a password who it is when it calls. Use it if the trunk has no fixed address.",
    ),
  peers: listOf(network, "networks")
    .default([])
    .describe(
      "Networks that may send requests on this trunk, besides the addresses of its servers. Add the address that the log names if calls from the trunk are ignored.",
    )
    .meta({ examples: [["192.0.2.0/24"]] }),
  options_interval_seconds: seconds(0, 3600)
    .default(60)
    .describe("How often to send OPTIONS to see whether the trunk is alive. 0 never sends any."),
  number_format: oneOf(["e164", "e164-without-plus", "national", "as-dialled"])
    .default("e164")
    .describe(
      "How the trunk wants called numbers written. Extensions and service codes are always sent as dialled. Change it if the trunk answers 404 to numbers that exist.",
    ),
  country: countryCode.optional().meta({
    description:
      "Country where the trunk is at home, if it is not `dial_plan.country` (ISO 3166-1): `national` numbers are written as dialled there, and what is sent to the trunk is judged as dialled there. Set it only if the trunk really reads numbers so: whether a number is expensive depends on it. What people dial is still read in `dial_plan.country`, and so are the numbers that the trunk sends.",
    examples: ["DE"],
  }),
  number_prefix: text("should be digits, * and # in quotes")
    .regex(/^\+?[0-9*#]{1,32}$/, { error: "should be digits, * and # in quotes" })
    .optional()
    .describe("Digits to put in front of every number, such as a provider's technical prefix.")
    .meta({ examples: ["1234#"] }),
  user_phone: flag
    .default(false)
    .describe("Adds user=phone to the URIs of numbers (RFC 3261 s19.1.1), for trunks that ask for it."),
  identity: identity
    .prefault({})
    .describe(
      "How callers are named to the trunk. Providers differ: some refuse every call with 403 until this is right.",
    ),
  inbound: trunkInbound
    .prefault({})
    .describe("How to read calls from this trunk. The chapter `inbound` says whom they ring."),
  session_timer: sessionTimer
    .optional()
    .describe(
      "Session timers (RFC 4028) end calls whose other end has disappeared. Without this section the bridge does not ask for them, but keeps to those that the trunk asks for.",
    ),
  in_dialog_requests: inDialogRequests,
  dtmf,
  early_media: earlyMedia,
  transfer,
  refer,
  messages: messages.prefault({}).describe("Texts over this trunk."),
  media: section({
    srtp: oneOf(["off", "required"])
      .default("off")
      .describe("Whether audio to the trunk is encrypted with SDES-SRTP (RFC 4568)."),
    codecs: listOf(oneOf(["PCMU", "PCMA", "G722", "opus"]), "codecs")
      .min(1, { error: "should name one codec at least" })
      .default(["PCMA", "PCMU", "G722", "opus"])
      .describe(
        "Codecs that the trunk may speak, the best first. If the client has none of them, the bridge converts (`media.transcode`). For wideband put `G722` before G.711: clients with Opus alone are then converted to it.",
      ),
    rtp_networks: listOf(network, "networks")
      .default([])
      .describe(
        "Networks that RTP may come from, besides the address in the trunk's SDP. Add the address that the log names if the other side cannot be heard.",
      )
      .meta({ examples: [["192.0.2.0/24"]] }),
    rtp_peer: oneOf(["lock", "follow", "sdp"])
      .default("lock")
      .describe(
        "Where to send RTP. `lock`: the port that the trunk's first packet came from. `follow`: the port that its latest packet came from; choose it if audio stops because the trunk changes ports during a call without a pause. `sdp`: where its SDP says, wherever it sends from; choose it if the trunk's telephones hear nothing because it sends from one port and listens on another. In all three, only addresses that SDP or `rtp_networks` names are heard.",
      ),
    relearn_seconds: seconds(1, 60)
      .default(1)
      .describe(
        "With `rtp_peer: lock` or `sdp`: how long the trunk must be silent before RTP from another port of the same address is taken for its new place. Raise it if people hear another call's audio during pauses.",
      ),
  })
    .prefault({})
    .describe("Audio to and from this trunk."),
});

export type TrunkConfig = z.infer<typeof trunk>;
