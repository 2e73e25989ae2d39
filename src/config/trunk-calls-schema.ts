// What the configuration says of a trunk's calls besides how they are dialled: how it reaches us, and what it can do in a call.
import { flag, hostName, listOf, oneOf, seconds, section, text, whole } from "./scalars.ts";

const path = "should be the path of a file";

/** RFC 3261 s25.1, without what would break a line of the header. */
const token = /^[A-Za-z0-9.!%*_+`'~-]{1,64}$/;

export const registration = section({
  user: text()
    .optional()
    .describe("User of the address that is registered. Without it: the username of the credentials.")
    .meta({ examples: ["account"] }),
  domain: hostName
    .optional()
    .describe("Domain that it is registered at. Without it: the domain or server of the trunk.")
    .meta({ examples: ["example.org"] }),
  expires_seconds: seconds(60, 86_400)
    .default(600)
    .describe("For how long it is registered; it is renewed well before. The trunk may want another time."),
});

export const challenge = section({
  algorithms: listOf(oneOf(["SHA-256", "MD5"]), "algorithms")
    .min(1, { error: "should name one algorithm at least" })
    .default(["SHA-256", "MD5"])
    .describe(
      "What it may prove that with, the best first. Many telephones know MD5 only, and some of those fail as soon as another is named beside it: name MD5 alone for them.",
    ),
  realm: text()
    .optional()
    .describe("Realm of the challenge. Without it: the homeserver's domain.")
    .meta({ examples: ["example.org"] }),
  username: text()
    .describe("User name that the trunk answers with.")
    .meta({ examples: ["provider"] }),
  password: text()
    .optional()
    .describe(
      "The password that it proves to know. Better a file, or the environment: MATRIX_SIP_CHALLENGE_<NAME>_PASSWORD.",
    )
    .meta({ examples: ["another-long-password"] }),
  password_file: text(path)
    .optional()
    .describe("The same, read from a file.")
    .meta({ examples: ["challenge-password"] }),
});

const calledText = "should be request-uri, to, or the name of a header";

export const trunkInbound = section({
  called_number: text(calledText)
    .regex(token, { error: calledText })
    .default("request-uri")
    .describe("Where the trunk says which number was called: `request-uri`, `to`, or the name of a header.")
    .meta({ examples: ["request-uri"] }),
  number_format: oneOf(["auto", "e164", "e164-without-plus", "national"])
    .default("auto")
    .describe(
      "How the trunk writes callers and called numbers. `auto` takes an assigned number as it is, and E.164 without plus before a " +
        "national number without its trunk prefix. Name the format if callers show up under a number that is not theirs, or calling back reaches somebody else. " +
        "A number that is not in that format is read as `auto` reads it.",
    ),
  caller: oneOf(["asserted", "from"])
    .default("asserted")
    .describe(
      "Whom to take for the caller: `asserted` is P-Asserted-Identity or Remote-Party-ID, and From only without them; " +
        "`from` is From alone, for trunks that pass on what callers assert of themselves.",
    ),
  caller_name: flag
    .default(false)
    .describe("Show people the display name that the trunk sends. Callers can often choose it as they like."),
  progress: oneOf(["ringing", "early"])
    .default("ringing")
    .describe("What the trunk hears while a room rings: `ringing` is 180, `early` 183, for trunks that want that."),
  reliable_provisionals: oneOf(["off", "supported", "required"])
    .default("supported")
    .describe(
      "Acknowledged provisional responses (RFC 3262): `supported` where the trunk requires them, `required` wherever it can.",
    ),
});

export const sessionTimer = section({
  expires_seconds: seconds(90, 86_400)
    .default(1800)
    .describe("A call whose other end has not been heard of for so long is over."),
  min_seconds: seconds(90, 86_400).default(90).describe("The shortest time that the trunk may want instead."),
});

export const inDialogRequests = oneOf(["contact", "source"])
  .default("contact")
  .describe(
    "Where requests go once a call is answered. `contact`: where the trunk's Contact and Record-Route say, as RFC 3261 wants it. " +
      "`source`: where its answer came from, for trunks behind a NAT or with a private address in Contact. The symptoms are " +
      "calls that end about 32 seconds after the answer, calls that stay up at the trunk after you hang up, and the log line " +
      "that our ACK does not reach the address in its Contact.",
  );

export const messages = section({
  enabled: flag
    .default(true)
    .describe(
      "Texts go both ways: what is written to a number as MESSAGE (RFC 3428), and what comes as MESSAGE to the room.",
    ),
  max_characters: whole(70, 10_000)
    .default(300)
    .describe(
      "A longer text is sent in parts of this length, 99 at most. Over UDP no request may be longer than 1300 bytes (RFC 3428 s8), and a character can take four.",
    ),
});

export const transfer = oneOf(["refer", "join"])
  .default("refer")
  .describe(
    "How a call is transferred: `refer` asks the trunk (RFC 3515) and joins the calls here if it refuses or fails; `join` does not ask.",
  );

export const refer = oneOf(["follow", "refuse"])
  .default("follow")
  .describe(
    "What becomes of a REFER that the trunk sends inside a call. `follow` calls the number in it, as if the person in the call " +
      "had dialled it: within their permissions, and as one of their `calls_per_minute`. `refuse` answers 603. Refuse it if " +
      "telephones at the trunk, or callers from outside, can transfer calls to numbers that you pay for.",
  );

export const dtmf = oneOf(["auto", "rtp", "info"])
  .default("auto")
  .describe(
    "How keys are sent: as RTP events (RFC 4733), as INFO, or `auto`: as INFO only where the trunk takes no RTP events.",
  );

export const earlyMedia = oneOf(["ring", "answer"])
  .default("ring")
  .describe(
    "What becomes of audio before the answer: `ring` leaves the ringing tone to the client; `answer` answers the client's call, " +
      "so that announcements are heard, although nobody has picked up yet.",
  );
