// The whole configuration: every key, what it means, what it defaults to. Sample, JSON schema and reference are generated
// from here (dev/generate.ts). Durations are whole seconds and say so in the key. Checks across keys are in checks.ts.
import * as z from "zod";
import { dialPlan } from "./dial-plan-schema.ts";
import { did, mailbox } from "./inbound-schema.ts";
import { media } from "./media-schema.ts";
import {
  bindHost,
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
  text,
  whole,
} from "./scalars.ts";
import { trunk } from "./trunk-schema.ts";

const port = (lowest: 0 | 1) => whole(lowest, 65_535, "port number");
const barredClasses = listOf(oneOf(["premium", "shared-cost", "satellite", "unknown"]), "kinds of number");

const homeserver = section({
  url: httpUrl
    .describe("Where the bridge reaches the homeserver's client-server API.")
    .meta({ examples: ["http://localhost:8008"] }),
  domain: serverName
    .describe("The homeserver's server name, the part after the colon in its user ids.")
    .meta({ examples: ["example.org"] }),
});

const appservice = section({
  listen: section({
    host: bindHost.default("127.0.0.1").describe("Address to listen on."),
    port: port(0).default(9993).describe("Port to listen on; the command line's -p goes before it."),
  })
    .prefault({})
    .describe("Where the homeserver reaches the bridge: what the `url` of the registration leads to."),
  id: text("should be a name without |")
    .regex(/^[^|\s]+$/, { error: "should be a name without | and spaces" })
    .default("matrix-appservice-sip")
    .describe("Id of the application service, written into the registration."),
  bot: localpart.default("_sip_bot").describe("Localpart of the bridge's own user, written into the registration."),
  bot_display_name: text().default("Telephone").describe("Its display name."),
});

const prefixText = "should be a prefix of a-z, 0-9, dot, hyphen and underscore";

const ghosts = section({
  gateway: hostName
    .overwrite((value) => value.toLowerCase())
    .describe(
      "Host that stands in the user ids of telephone numbers. It need not exist; to change it makes every ghost a new user.",
    )
    .meta({ examples: ["sip.example.org"] }),
  prefix: text(prefixText)
    .regex(/^[a-z0-9._-]{1,64}$/, { error: prefixText })
    .default("_sip_")
    .describe("Begins the localpart of every ghost, and is the namespace in the registration."),
  encoding: oneOf(["percent", "grammar", "e164"])
    .default("percent")
    .describe(
      "How numbers are written in user ids: `percent` as in MSC2845 (@_sip_0181%40sip.example.org, on Synapse only), " +
        "`grammar` (@_sip_0181=40sip.example.org, everywhere), `e164` as in MSC4009 (@_sip_+441632960123, everywhere; " +
        "what is not E.164 as in grammar). Ids of all three are understood whatever is chosen.",
    ),
  one_per_number: flag
    .default(false)
    .describe(
      "One ghost for each telephone number: 020 7946 0440, +44 20 7946 0440 and 0044 20 7946 0440 then find the same user and the same room. " +
        "Without it, each way of dialling finds a ghost of its own, as in the example of MSC2845. " +
        "Switch it on in a new bridge. Later, people find new rooms for numbers that they dialled without the plus. A trunk with number_format as-dialled gets such numbers with their plus.",
    ),
});

const permission = z.union(
  [
    oneOf(["call", "none"]),
    section({
      allow: barredClasses
        .default([])
        .describe("Kinds of number allowed to them besides what limits.allow allows everyone."),
      calls_per_user: whole(0, 1000)
        .optional()
        .describe("Calls at once of each of them.")
        .meta({ examples: [4] }),
      max_duration_seconds: seconds(1, 604_800)
        .optional()
        .describe("Longest call of theirs.")
        .meta({ examples: [3600] }),
    }),
  ],
  { error: "should be `call`, `none`, or a section with the keys allow, calls_per_user, max_duration_seconds" },
);

const limits = section({
  allow: barredClasses
    .default([])
    .describe(
      "Kinds of number that everyone who may call may call; the others are barred. A number counts as premium, shared-cost or satellite if the trunk could read it as one: dialled with + and the country code, it has one reading only. `unknown` is a text of nine digits or more, or with a plus, that is no number in any reading. Allow it if your trunk has long numbers of its own, or name what they begin with in a route of the dial plan.",
    )
    .meta({ examples: [["shared-cost"]] }),
  calls_per_user: whole(1, 1000).default(2).describe("Calls at once of one user."),
  calls_in_all: whole(1, 100_000).default(100).describe("Calls at once of everyone together."),
  calls_per_minute: whole(1, 10_000)
    .default(30)
    .describe(
      "Calls that one user or telephone may try in a minute, allowed or not. A transfer to a number is a call of the person in it, also where the trunk orders it. As many invitations of numbers and messages are heeded, and as many callers of each trunk who never called before.",
    ),
  max_duration_seconds: seconds(1, 604_800).default(14_400).describe("A call is ended after so long."),
});

export const configSchema = section({
  homeserver: homeserver.describe("The Matrix homeserver."),
  appservice: appservice.prefault({}).describe("The bridge as an application service."),
  ghosts: ghosts.describe("The Matrix users that stand for telephone numbers."),
  database: section({
    path: text("should be the path of a file")
      .default("matrix-appservice-sip.db")
      .describe("The SQLite file; a relative path begins in the working directory."),
    // Not less than the homeserver may take to send an old invite once more.
    keep_calls_days: whole(8, 36_500).default(90).describe("The record of a call is forgotten after so many days."),
  })
    .prefault({})
    .describe("What must survive a restart."),
  dial_plan: dialPlan.describe("Where calls go."),
  trunks: listOf(trunk, "trunks")
    .min(1, { error: "should list one trunk at least" })
    .describe("SIP trunks, one at least."),
  inbound: section({
    remote_users: flag
      .default(false)
      .describe(
        "Whether users of other homeservers may be rung too. Their server must let ours send them invitations.",
      ),
    join_for_people: flag
      .default(false)
      .describe(
        "Turn this on if a number that calls somebody for the first time shows up as a silent invitation instead of ringing. " +
          "The bridge then joins the number's room in the person's name. It needs a second registration, which -r writes " +
          "beside the first one (registration-people.yaml); give that to the homeserver too. See docs/first-calls.md.",
      ),
    numbers: listOf(did, "numbers")
      .default([])
      .describe(
        "Which number rings whom. An exact number goes before a pattern, a pattern before a prefix, a long prefix before a short one; a number that is not here is answered 404.",
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
    .describe("Calls from the telephone network. They need no permission; whoever is named here is called."),
  voicemail: section({
    accounts: mapOf(mailbox, "accounts to Matrix user ids")
      .default({})
      .describe(
        "Who is told of new messages on a voice mailbox (RFC 3842), by the account that the trunk names. An account that is not here belongs to whom the number of that name rings.",
      )
      .meta({ examples: [{ "2001": ["@alice:example.org"] }] }),
  })
    .prefault({})
    .describe("Voice mailboxes that trunks tell of."),
  lookups: section({
    virtual_users: flag
      .default(false)
      .describe(
        "Offer im.vector.protocol.sip_native and im.vector.protocol.sip_virtual, by which older clients connect people with their numbers. Write the registration anew (-r) when this changes.",
      ),
  })
    .prefault({})
    .describe("What clients may ask besides numbers."),
  permissions: mapOf(permission, "users, domains or * to permissions")
    .default({})
    .describe(
      "Who may call: by Matrix user id, by server name, or * for everyone of this homeserver; the most specific counts. " +
        "Nobody may until they are named here, and users of other homeservers only if they or their server are.",
    )
    .meta({
      examples: [
        { "example.org": "call", "@intern:example.org": "none", "@boss:example.org": { allow: ["satellite"] } },
      ],
    }),
  limits: limits.prefault({}).describe("What a call may be."),
  media: media.prefault({}).describe("Audio."),
  notices: section({
    enabled: flag
      .default(true)
      .describe("Say in the room why a call failed, where the client can only say that it did."),
    history: flag
      .default(true)
      .describe(
        "Write a line into the room for what clients do not show by themselves: that a call to several people was missed, or answered by somebody else. Clients show other calls, their length and whether they were missed.",
      ),
  })
    .prefault({})
    .describe("Messages in the room."),
  logging: section({
    level: oneOf(["trace", "debug", "info", "warn", "error"])
      .default("info")
      .describe("Least important line to write."),
    mask_numbers: flag.default(true).describe("Hide all but the last digits of telephone numbers."),
  })
    .prefault({})
    .describe("Log lines, JSON on standard output."),
  http: section({
    listen: section({
      host: bindHost.default("127.0.0.1").describe("Address to listen on."),
      port: port(0).default(9994).describe("Port to listen on; 0 takes any free one."),
    })
      .prefault({})
      .describe("Keep it away from the public."),
  })
    .prefault({})
    .describe("Health, readiness and metrics."),
});

export type Config = z.infer<typeof configSchema>;
