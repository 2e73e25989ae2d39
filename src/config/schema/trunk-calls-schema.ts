// What the configuration says of a trunk's calls besides how they are dialled: how it reaches us, and what it can do in a call.
import { callerChoices } from "../../core/policy/caller.ts";
import { flag, hostName, listOf, oneOf, seconds, secretFile, section, text, whole } from "./scalars.ts";

/** RFC 3261 s25.1, without what would break a line of the header. */
const token = /^[A-Za-z0-9.!%*_+`'~-]{1,64}$/;

export const registration = section({
  user: text()
    .optional()
    .describe("User part of the registered address. Default: the username of the credentials.")
    .meta({ examples: ["account"] }),
  domain: hostName
    .optional()
    .describe("Domain to register at. Default: the trunk's domain or server.")
    .meta({ examples: ["example.org"] }),
  expires_seconds: seconds(60, 86_400)
    .default(600)
    .describe(
      "How long to register for. The bridge renews the registration well before it expires. The trunk may set another time.",
    ),
});

export const challenge = section({
  algorithms: listOf(oneOf(["SHA-256", "MD5"]), "algorithms")
    .min(1, { error: "should name one algorithm at least" })
    .default(["SHA-256", "MD5"])
    .describe(
      "Digest algorithms to offer, the best first. Many telephones know MD5 only, and some fail if another algorithm is offered as well: name MD5 alone for them.",
    ),
  realm: text()
    .optional()
    .describe("Realm of the challenge. Default: the homeserver's domain.")
    .meta({ examples: ["example.org"] }),
  username: text()
    .describe("User name that the trunk must answer with.")
    .meta({ examples: ["provider"] }),
  password: text()
    .optional()
    .describe(
      "Password that the trunk must know. Keep it out of this file if you can: use `password_file`, or the environment variable MATRIX_SIP_CHALLENGE_<NAME>_PASSWORD.",
    )
    .meta({ examples: ["another-long-password"] }),
  password_file: secretFile("challenge-password"),
});

const headerText = "should be the name of a header";
const calledText = "should be request-uri, to, or the name of a header";

export const trunkInbound = section({
  called_number: text(calledText)
    .regex(token, { error: calledText })
    .default("request-uri")
    .describe(
      "Where the trunk puts the called number: `request-uri`, `to`, or the name of a header. Change it if every call reaches the number of your account.",
    )
    .meta({ examples: ["request-uri"] }),
  number_format: oneOf(["auto", "e164", "e164-without-plus", "national"])
    .default("auto")
    .describe(
      "How the trunk writes the numbers of callers and the called numbers. `auto` takes a number in use as it is, and prefers E.164 without plus to a national number without its trunk prefix. Name the format if callers show up under a wrong number, or calling back reaches somebody else. A number that is not in that format is read as with `auto`.",
    ),
  caller: oneOf(["asserted", "from"])
    .default("asserted")
    .describe(
      "Which headers name the caller. `asserted`: P-Asserted-Identity or Remote-Party-ID, and From only if both are missing. `from`: From alone. Choose `from` if the trunk passes on whatever callers claim in the other two.",
    ),
  caller_name: flag
    .default(false)
    .describe("Whether people see the display name that the trunk sends. Callers can often choose any name they like."),
  verstat: flag
    .default(false)
    .describe(
      "Whether people are shown the trunk's verdict on a caller's number (STIR/SHAKEN, ATIS-1000074): verified, or perhaps forged. Turn it on if the trunk checks numbers itself. A trunk that passes on what callers send would let them vouch for themselves.",
    ),
  verstat_header: text(headerText)
    .regex(token, { error: headerText })
    .optional()
    .describe("The header that has this verdict. Default: the parameter `verstat` of P-Asserted-Identity or From.")
    .meta({ examples: ["X-Twilio-VerStat"] }),
  spam: section({
    header: text(headerText)
      .regex(token, { error: headerText })
      .describe("The header by which the trunk marks spam.")
      .meta({ examples: ["X-Spam"] }),
    pattern: text("should be text, in which * stands for any text")
      .describe("What the header says of spam. `*` stands for any text; capitals do not matter.")
      .meta({ examples: ["yes*"] }),
    calls: oneOf(callerChoices)
      .optional()
      .describe("What becomes of such calls and texts. Default: as `blocking.spam` says.")
      .meta({ examples: ["voicemail"] }),
  })
    .optional()
    .describe("How the trunk marks calls that are probably spam."),
  progress: oneOf(["ringing", "early"])
    .default("ringing")
    .describe(
      "What the bridge answers while a room rings: `ringing` sends 180, `early` sends 183. Choose `early` if callers hear no ringing tone with 180.",
    ),
  reliable_provisionals: oneOf(["off", "supported", "required"])
    .default("supported")
    .describe(
      "Reliable provisional responses (RFC 3262). `supported`: only when the trunk requires them. `required`: whenever the trunk can. Choose `required` if callers keep hearing silence because a lost 180 is not repeated, and `off` if the trunk misbehaves with PRACK.",
    ),
});

export const sessionTimer = section({
  expires_seconds: seconds(90, 86_400)
    .default(1800)
    .describe("How long the trunk may stay silent before the call counts as over."),
  min_seconds: seconds(90, 86_400).default(90).describe("The shortest interval that the trunk may ask for instead."),
});

export const inDialogRequests = oneOf(["contact", "source"])
  .default("contact")
  .describe(
    "Where to send requests once a call is answered. `contact`: where the trunk's Contact and Record-Route say, as in RFC 3261. `source`: where its answer came from, for trunks behind NAT or with a private address in Contact. Choose `source` if calls end about 32 seconds after the answer, if calls stay up at the trunk after you hang up, or if the log says that our ACK does not reach the address in the trunk's Contact.",
  );

export const messages = section({
  enabled: flag
    .default(true)
    .describe(
      "Whether texts go both ways: what people write to a number is sent as a SIP MESSAGE (RFC 3428), and what arrives as MESSAGE is written in the room.",
    ),
  max_characters: whole(70, 10_000)
    .default(300)
    .describe(
      "Longest text to send in one MESSAGE. A longer text is sent in parts, 99 at most. Over UDP a request must not exceed 1300 bytes (RFC 3428 s8), and one character can take four of them.",
    ),
});

export const transfer = oneOf(["refer", "join"])
  .default("refer")
  .describe(
    "How a call is transferred. `refer` asks the trunk to do it (RFC 3515), and joins the two calls in the bridge if the trunk refuses or fails. `join` never asks the trunk. Choose `join` if transfers over this trunk lose calls.",
  );

export const refer = oneOf(["follow", "refuse"])
  .default("follow")
  .describe(
    "What to do when the trunk sends a REFER inside a call. `follow` calls the number in it as if the person in the call had dialled it: with their permissions, and as one of their `calls_per_minute`. `refuse` answers 603. Choose `refuse` if telephones at the trunk, or callers from outside, could transfer calls to numbers that you pay for.",
  );

export const dtmf = oneOf(["auto", "rtp", "info"])
  .default("auto")
  .describe(
    "How keypad tones are sent. `rtp`: as RTP events (RFC 4733). `info`: in SIP INFO. `auto`: as RTP events if the trunk takes them, in INFO if not. Change it if voice menus do not react to keys.",
  );

export const earlyMedia = oneOf(["ring", "answer"])
  .default("ring")
  .describe(
    "What happens to audio before the answer, such as announcements. `ring`: it is not heard; the client plays its ringing tone. `answer`: it is heard; to make that possible, the client's call is answered before anybody has picked up.",
  );
