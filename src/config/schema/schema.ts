// The whole configuration: every key, what it means, what it defaults to. Sample, JSON schema and reference are generated
// from here (dev/generate.ts). Durations are whole seconds and say so in the key. Checks across keys are in checks.ts.
import type * as z from "zod";
import { admin } from "./admin-schema.ts";
import { blocking } from "./blocking-schema.ts";
import { contacts } from "./contacts-schema.ts";
import { database } from "./database-schema.ts";
import { dialPlan } from "./dial-plan-schema.ts";
import { did, mailbox } from "./inbound-schema.ts";
import { ladders } from "./ladders-schema.ts";
import { limits, permission } from "./limits-schema.ts";
import { media } from "./media-schema.ts";
import {
  bindHost,
  filePath,
  flag,
  hostName,
  httpUrl,
  listOf,
  localpart,
  mapOf,
  oneOf,
  seconds,
  section,
  serverName,
  share,
  text,
  whole,
} from "./scalars.ts";
import { trunk } from "./trunk-schema.ts";
import { webhook } from "./webhook-schema.ts";

const port = (lowest: 0 | 1) => whole(lowest, 65_535, "port number");

const homeserver = section({
  url: httpUrl
    .describe("URL at which the bridge reaches the homeserver's client-server API.")
    .meta({ examples: ["http://localhost:8008"] }),
  domain: serverName
    .describe("The homeserver's server name: the part after the colon in user ids.")
    .meta({ examples: ["example.org"] }),
});

const appservice = section({
  listen: section({
    host: bindHost.default("127.0.0.1").describe("Address to listen on."),
    port: port(0).default(9993).describe("Port to listen on. `-p` on the command line overrides it."),
  })
    .prefault({})
    .describe("Where the bridge listens for the homeserver. The `url` in the registration must lead here."),
  id: text("should be a name without |")
    .regex(/^[^|\s]+$/, { error: "should be a name without | and spaces" })
    .default("matrix-appservice-sip")
    .describe("Id of the application service in the registration."),
  bot: localpart
    .default("_sip_bot")
    .describe(
      "Localpart of the bridge's bot. If it does not begin with `ghosts.prefix`, it is part of the registration: run `-r` again after you change it.",
    ),
  bot_display_name: text().default("Telephone").describe("Display name of the bot."),
});

const prefixText = "should be a prefix of a-z, 0-9, dot, hyphen and underscore";

const ghosts = section({
  gateway: hostName
    .overwrite((value) => value.toLowerCase())
    .describe(
      "Host name in the user ids of telephone numbers. It does not have to exist. If you change it, every number becomes a new user with new rooms.",
    )
    .meta({ examples: ["sip.example.org"] }),
  prefix: text(prefixText)
    .regex(/^[a-z0-9._-]{1,64}$/, { error: prefixText })
    .default("_sip_")
    .describe(
      "Start of the localpart of every telephone number's user, and the namespace in the registration: run `-r` again after you change it.",
    ),
  encoding: oneOf(["percent", "grammar", "e164"])
    .default("percent")
    .describe(
      "How numbers are written in user ids. `percent` is the form of MSC2845 (@_sip_0181%40sip.example.org) and works on Synapse only. `grammar` (@_sip_0181=40sip.example.org) works on every homeserver. `e164` is the form of MSC4009 (@_sip_+441632960123) and works everywhere; what is not an E.164 number is written as in `grammar`. The bridge understands ids of all three, whichever you choose.",
    ),
  one_per_number: flag
    .default(false)
    .describe(
      "Gives each telephone number one user and one room, however people dial it: 020 7946 0440, +44 20 7946 0440 and 0044 20 7946 0440 then find the same one. When it is off, each way of dialling finds a user of its own, as in the example of MSC2845. Turn it on when you set up a new bridge. If you turn it on later, people get new rooms for numbers that they used to dial without the plus. Trunks with `number_format: as-dialled` then receive such numbers with their plus.",
    ),
});

export const configSchema = section({
  homeserver: homeserver.describe("The Matrix homeserver.").meta({ reload: "restart" }),
  appservice: appservice.prefault({}).describe("The bridge as an application service.").meta({ reload: "restart" }),
  ghosts: ghosts.describe("The Matrix users that stand for telephone numbers.").meta({ reload: "restart" }),
  encryption: section({
    mode: oneOf(["off", "on-demand", "always"])
      .default("on-demand")
      .describe(
        "When telephone numbers and the bot get keys for end-to-end encryption: never; when somebody invites them to an encrypted room or encrypts one that they are in; or from the start, for homeservers that encrypt every room. Needs the secret below: without it `on-demand` is as `off`. docs/encryption.md says what the bridge can read.",
      ),
    secret_file: filePath
      .optional()
      .describe(
        "The file with the secret that the numbers' identities are made of, relative to the folder of this file. `-r` writes it and never changes it. Default: beside the registration, registration-encryption.key.",
      )
      .meta({ examples: ["registration-encryption.key"] }),
    pushed_keys: flag
      .default(false)
      .describe(
        "Whether the registration asks the homeserver to push keys with its transactions (MSC4203, MSC3202), so that the bridge need not ask for them. Turn it on only where the homeserver does it; docs/encryption.md says how. It is part of the registration: run `-r` again after you change it.",
      ),
  })
    .prefault({})
    .describe("Calls and texts in encrypted rooms.")
    .meta({ reload: "restart" }),
  people: section({
    calls: oneOf(["auto", "legacy", "rtc", "both"])
      .default("auto")
      .describe(
        "Which clients ring when a number calls: `legacy` are those with one-to-one calls as Element Web makes them by default, `rtc` those with MatrixRTC, such as Element X and Element Call. With `auto`, those of the kind with which each person last called or answered, and both kinds until the bridge knows that. Without MatrixRTC this is `legacy`.",
      ),
  })
    .prefault({})
    .describe("How people are reached.")
    .meta({ reload: "now" }),
  rtc: section({
    mode: oneOf(["auto", "off"])
      .default("auto")
      .describe(
        "Whether the bridge takes part in calls of clients that use MatrixRTC, such as Element X and Element Call: with `auto` if the homeserver or `livekit_service_url` names a token service for a LiveKit media server, with `off` never. docs/matrix-rtc.md says what the homeserver needs.",
      ),
    livekit_service_url: httpUrl
      .optional()
      .describe(
        "The service that gives tokens for your media server (lk-jwt-service), where the homeserver does not name it by itself.",
      )
      .meta({ examples: ["https://matrix-rtc.example.org/livekit/jwt"] }),
    allowed_services: listOf(httpUrl, "URLs of token services")
      .default([])
      .describe(
        "Token services of other homeservers, whose people may call your numbers by MatrixRTC. The bridge sends requests to no others.",
      )
      .meta({ examples: [["https://rtc.example.com/livekit/jwt"]] }),
  })
    .prefault({})
    .describe("Calls of clients that use MatrixRTC.")
    .meta({ reload: "restart" }),
  rooms: section({
    encrypted: oneOf(["auto", "never", "always"])
      .default("auto")
      .describe(
        "Which rooms that the bridge makes are end-to-end encrypted: with `auto` those of people whose latest room with a number is encrypted, with `never` none, with `always` all. A homeserver that encrypts every new room does so in any case. If `encryption.mode` is `off` or its secret is missing, this is `never`. docs/encryption.md explains it.",
      ),
  })
    .prefault({})
    .describe("Rooms that the bridge makes for people and numbers.")
    .meta({ reload: "now" }),
  database: database
    .prefault({})
    .describe("What the bridge must remember across restarts.")
    .meta({ reload: "restart" }),
  dial_plan: dialPlan.describe("Which trunk each dialled number goes to.").meta({ reload: "now" }),
  trunks: listOf(trunk, "trunks")
    .min(1, { error: "should list one trunk at least" })
    .describe("Your SIP trunks: providers and PBXs. At least one.")
    .meta({ reload: "now" }),
  inbound: section({
    remote_users: flag
      .default(false)
      .describe(
        "Whether numbers may ring users of other homeservers. Those homeservers must accept invitations from yours.",
      ),
    join_for_people: flag
      .default(false)
      .describe(
        "Turn this on if the first call from a number shows up as a silent invitation instead of ringing. The bridge then joins the number's room in the person's name. It needs a second registration, registration-people.yaml, which `-r` writes beside the first; give both to the homeserver. docs/people/first-calls.md explains the other ways.",
      )
      .meta({ reload: "restart" }),
    numbers: listOf(did, "numbers")
      .default([])
      .describe(
        "Which called number rings whom. The most specific entry wins: an exact number before a pattern, a pattern before a prefix, a longer prefix before a shorter one. Calls to a number that is not listed are answered 404.",
      )
      .meta({
        examples: [
          [
            { number: "+441632960123", user: "@alice:example.org" },
            { number: "2002", trunks: ["main"], users: ["@bob:example.org", "@carol:example.org"], ring_seconds: 60 },
            {
              pattern: "+4416329602XX",
              in_turn: [{ users: ["@alice:example.org"], ring_seconds: 20 }, { users: ["@bob:example.org"] }],
            },
            { prefix: "", room: "!office:example.org" },
          ],
        ],
      }),
  })
    .prefault({})
    .describe(
      "Calls from the telephone network. People need no permission to be called: whoever is named here is rung.",
    )
    .meta({ reload: "now" }),
  blocking: blocking.prefault({}).describe("Which callers reach nobody (docs/admin.md).").meta({ reload: "now" }),
  voicemail: section({
    accounts: mapOf(mailbox, "accounts to Matrix user ids")
      .default({})
      .describe(
        "Who is told about new messages in a voice mailbox (RFC 3842), by the account name that the trunk uses. For accounts that are not listed, the bot tells whoever `inbound.numbers` rings for the number of that name.",
      )
      .meta({ examples: [{ "2001": ["@alice:example.org"] }] }),
  })
    .prefault({})
    .describe("Voice mailboxes at the trunks.")
    .meta({ reload: "now" }),
  lookups: section({
    virtual_users: flag
      .default(false)
      .describe(
        "Turn this on only for older clients that use im.vector.protocol.sip_native and im.vector.protocol.sip_virtual to link people with their numbers. Run `-r` again after you change it.",
      ),
  })
    .prefault({})
    .describe("What clients may look up besides numbers.")
    .meta({ reload: "restart" }),
  permissions: mapOf(permission, "users, domains or * to permissions")
    .default({})
    .describe(
      "Who may call telephone numbers: a user id, a server name, or `*` for everybody on your homeserver. The most specific entry wins. Nobody may call until they are named here; users of other homeservers only if they or their server are named.",
    )
    .meta({
      examples: [
        { "example.org": "call", "@intern:example.org": "none", "@boss:example.org": { allow: ["satellite"] } },
      ],
    })
    .meta({ reload: "now" }),
  contacts: contacts
    .prefault({})
    .describe(
      "Names and pictures for telephone numbers. They override the name that a trunk sends. A number without a picture gets a telephone in a colour of its own.",
    )
    .meta({ reload: "now" }),
  limits: limits.prefault({}).describe("Limits on everybody's calls.").meta({ reload: "now" }),
  media: media.prefault({}).describe("Audio: how it reaches the trunks and the clients.").meta({ reload: "restart" }),
  notices: section({
    enabled: flag.default(true).describe("Tell people in the room why a call failed, where their client cannot."),
    history: flag
      .default(true)
      .describe(
        "Write a line in the room about what clients do not show by themselves: that a call to several people was missed, or that somebody else answered it.",
      ),
  })
    .prefault({})
    .describe("Messages that the bridge writes in rooms.")
    .meta({ reload: "now" }),
  logging: section({
    level: oneOf(["trace", "debug", "info", "warn", "error"])
      .default("info")
      .describe(
        "The least important lines to write. Each call leaves one line at `info` and one for each phase at `debug`. `trace` adds session descriptions, without keys.",
      )
      .meta({ reload: "now" }),
    format: oneOf(["auto", "json", "pretty"])
      .default("auto")
      .describe("`json` for programs, `pretty` for people; `auto` is `pretty` on a terminal and `json` elsewhere."),
    mask_numbers: flag.default(true).describe("Hide all but the last two digits of telephone numbers."),
  })
    .prefault({})
    .describe("The log, on standard output: one line for each thing that happens.")
    .meta({ reload: "restart" }),
  ladders: ladders
    .prefault({})
    .describe(
      "What Matrix and SIP said in each call, in order, without keys, passwords, texts and digits (docs/ladders.md).",
    )
    .meta({ reload: "restart" }),
  shutdown: section({
    drain_seconds: seconds(0, 86_400)
      .default(0)
      .describe(
        "How long the bridge waits on SIGTERM for its calls to end by themselves. It begins no new ones meanwhile. 0 ends them at once. systemd and Docker kill it sooner unless they are told to wait, for 15 seconds more than this (docs/operation.md).",
      ),
  })
    .prefault({})
    .describe("What a bridge that is stopped does with its calls (docs/operation.md).")
    .meta({ reload: "now" }),
  http: section({
    listen: section({
      host: bindHost.default("127.0.0.1").describe("Address to listen on."),
      port: port(0).default(9994).describe("Port to listen on. 0 takes any free port."),
    })
      .prefault({})
      .describe("Where these pages are served. They are not meant for the public: keep them on a private address."),
    open_metrics: flag
      .default(false)
      .describe(
        "Whether everybody who reaches the address may read `/metrics`. When it is off, that needs `admin.token`, except on a loopback address. `/health` and `/ready` are always open.",
      ),
  })
    .prefault({})
    .describe("Health, readiness and metrics (docs/operation.md).")
    .meta({ reload: "restart" }),
  admin: admin
    .prefault({})
    .describe("The admin API, over which the commands reach the running bridge (docs/admin.md).")
    .meta({ reload: "restart" }),
  webhook: webhook.meta({ reload: "restart" }),
  tracing: section({
    url: httpUrl
      .describe("The collector's address for traces over OTLP and HTTP.")
      .meta({ examples: ["http://localhost:4318/v1/traces"] }),
    sample_ratio: share.default(1).describe("The share of calls that is traced, from 0 to 1."),
  })
    .optional()
    .describe("Traces of calls for OpenTelemetry (docs/operation.md#traces).")
    .meta({ reload: "restart" }),
});

export type Config = z.infer<typeof configSchema>;
