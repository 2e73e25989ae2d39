// The section `ladders`: how long what Matrix and SIP said in calls is kept.
import { hostWithPort, oneOf, secretFile, section, text, whole } from "./scalars.ts";

export const ladders = section({
  keep_minutes: whole(0, 1_440, "number of minutes")
    .default(60)
    .describe("How long the ladder of a call that has ended stays in memory. 0 keeps none."),
  memory_mb: whole(1, 1_024, "number of megabytes")
    .default(32)
    .describe(
      "How much memory ladders take at most. When it is full, refused calls are forgotten first, then the calls that ended first.",
    ),
  homer: section({
    server: hostWithPort
      .describe("Host of the collector. The port is 9060 if none is given.")
      .meta({ examples: ["homer.example.org:9060"] }),
    transport: oneOf(["udp", "tcp", "tls"])
      .default("udp")
      .describe("How packets reach it. With `tls` its certificate has to be good for the name in `server`."),
    capture_id: whole(1, 4_294_967_295)
      .default(2001)
      .describe("By which number the collector knows this bridge among those that send to it."),
    auth_key: text()
      .optional()
      .describe(
        "The collector's key, if it wants one. The environment variable MATRIX_SIP_HOMER_AUTH_KEY overrides it.",
      )
      .meta({ examples: ["a-long-random-key"] }),
    auth_key_file: secretFile("homer-key"),
  })
    .optional()
    .describe("Sends ladders to Homer, or another collector that understands HEP version 3, as they happen."),
});
