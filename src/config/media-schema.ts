// Audio in the configuration: the engine, and its two sides.
import { bindHost, flag, hostName, iceUrl, listOf, oneOf, seconds, section, text, whole } from "./scalars.ts";

const port = whole(1, 65_535, "port number");

const portRange = section({
  min: port.describe("First port.").meta({ examples: [20_000] }),
  max: port.describe("Last port.").meta({ examples: [29_999] }),
});

const iceServer = section({
  urls: listOf(iceUrl, "stun: or turn: URLs")
    .min(1, { error: "should name one URL at least" })
    .describe("URLs of the server.")
    .meta({ examples: [["turn:turn.example.org?transport=udp"]] }),
  username: text()
    .optional()
    .describe("User name, for TURN.")
    .meta({ examples: ["bridge"] }),
  credential: text()
    .optional()
    .describe(
      "Password, for TURN. Better a file, or the environment: MATRIX_SIP_ICE_<N>_CREDENTIAL, the first server being 1.",
    )
    .meta({ examples: ["a-long-password"] }),
  credential_file: text("should be the path of a file")
    .optional()
    .describe("The same, read from a file.")
    .meta({ examples: ["turn-password"] }),
});

export const media = section({
  engine: oneOf(["embedded"]).default("embedded").describe("What carries the audio."),
  workers: whole(1, 64)
    .default(2)
    .describe("Processes that carry audio, about one for each core that may be spent on it."),
  sessions_per_worker: whole(1, 2000)
    .default(200)
    .describe("Calls that each of them takes; 150 to 200 keep one core busy."),
  rtp: section({
    host: bindHost.default("0.0.0.0").describe("Address for RTP to and from the trunks."),
    advertised_host: hostName
      .optional()
      .describe(
        "Address that the SDP to trunks names, behind a NAT. Without it: rtp.host, or where that is 0.0.0.0 or ::, the address of the default route.",
      )
      .meta({ examples: ["203.0.113.5"] }),
    ports: portRange
      .default({ min: 20_000, max: 29_999 })
      .describe(
        "Ports for RTP to the trunks, two for each call. The pair that has been unused for longest is taken first, so that late packets of one call do not reach the next; with few ports, a pair may be used again at once.",
      ),
  })
    .prefault({})
    .describe("The trunks' side."),
  ice: section({
    host: bindHost
      .optional()
      .describe("The only address to use towards clients. Without it: all.")
      .meta({ examples: ["192.0.2.5"] }),
    advertised_hosts: listOf(hostName, "addresses")
      .default([])
      .describe("Public addresses to offer to clients besides our own, behind a NAT.")
      .meta({ examples: [["203.0.113.5"]] }),
    ports: portRange.optional().describe("Ports towards clients. Without it: any free ones."),
    servers: listOf(iceServer, "ICE servers")
      .default([])
      .describe("STUN and TURN servers of the bridge's own.")
      .meta({
        examples: [
          [{ urls: ["turn:turn.example.org?transport=udp"], username: "bridge", credential_file: "turn-password" }],
        ],
      }),
    homeserver_turn: flag.default(true).describe("Use the TURN servers that the homeserver gives its users."),
  })
    .prefault({})
    .describe("The clients' side."),
  silence_timeout_seconds: seconds(5, 3600)
    .default(60)
    .describe("A call in which nothing is heard from a side for so long is ended; time on hold does not count."),
  reconnect_timeout_seconds: seconds(5, 300)
    .default(30)
    .describe(
      "How long a client whose connection was lost may take to come back, as after a change of its network. A client that closes its connection, as it does when it hangs up, ends the call within about 2 seconds.",
    ),
});
