// Audio in the configuration: the engine, and its two sides.
import {
  bindHost,
  flag,
  hostName,
  iceUrl,
  listOf,
  oneOf,
  seconds,
  secretFile,
  section,
  text,
  whole,
} from "./scalars.ts";

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
    .describe("User name for TURN.")
    .meta({ examples: ["bridge"] }),
  credential: text()
    .optional()
    .describe(
      "Password for TURN. Keep it out of this file if you can: use `credential_file`, or the environment variable MATRIX_SIP_ICE_<N>_CREDENTIAL, where the first server is 1.",
    )
    .meta({ examples: ["a-long-password"] }),
  credential_file: secretFile("turn-password"),
});

export const media = section({
  engine: oneOf(["embedded"]).default("embedded").describe("The media engine. There is one so far."),
  workers: whole(1, 64)
    .default(2)
    .describe("Processes that carry audio. One for each CPU core that you want to spend on it."),
  sessions_per_worker: whole(1, 2000)
    .default(200)
    .describe(
      "How many calls one worker takes. 150 to 200 calls keep one core busy. A call whose audio is converted (`transcode`) counts as two, or as four between Opus and G.722; where one direction alone is converted, half of that is added; one of MatrixRTC counts as one more; one that is not answered yet counts as what it may come to. When all workers are full, people read that all lines are in use.",
    ),
  transcode: oneOf(["auto", "never"])
    .default("auto")
    .describe(
      "What happens when the client and the trunk share no codec. `auto`: the bridge converts between Opus, G.722 and the two kinds of G.711. `never`: such a call fails. A call whose ends share a codec is never converted.",
    ),
  rtp: section({
    host: bindHost.default("0.0.0.0").describe("Address on which RTP to and from the trunks is sent and received."),
    advertised_host: hostName
      .optional()
      .describe(
        "Set this to your public address if the bridge is behind NAT and calls are silent: SDP to the trunks then names it. Default: `rtp.host`, or the address of the default route if that is 0.0.0.0 or ::.",
      )
      .meta({ examples: ["203.0.113.5"] }),
    ports: portRange
      .default({ min: 20_000, max: 29_999 })
      .describe(
        "Ports for RTP to the trunks, two for each call. Open them in the firewall. The pair that has been unused for longest is taken first, so that late packets of one call do not reach the next. With few ports, a pair may be used again at once.",
      ),
  })
    .prefault({})
    .describe("Audio to and from the trunks."),
  ice: section({
    host: bindHost
      .optional()
      .describe("The only local address to use towards clients. Default: all addresses.")
      .meta({ examples: ["192.0.2.5"] }),
    advertised_hosts: listOf(hostName, "addresses")
      .default([])
      .describe(
        'Public addresses to offer to clients besides the bridge\'s own. Set them if the bridge is behind NAT and calls fail with "The audio connection to your client could not be made".',
      )
      .meta({ examples: [["203.0.113.5"]] }),
    ports: portRange
      .optional()
      .describe("Ports to use towards clients. Set them if a firewall is in the way. Default: any free ports."),
    servers: listOf(iceServer, "ICE servers")
      .default([])
      .describe("STUN and TURN servers for the bridge itself.")
      .meta({
        reload: "now",
        examples: [
          [{ urls: ["turn:turn.example.org?transport=udp"], username: "bridge", credential_file: "turn-password" }],
        ],
      }),
    homeserver_turn: flag
      .default(true)
      .describe("Also use the TURN servers that the homeserver gives its users.")
      .meta({ reload: "now" }),
  })
    .prefault({})
    .describe("Audio to and from Matrix clients (ICE)."),
  silence_timeout_seconds: seconds(5, 3600)
    .default(60)
    .describe(
      "How long one side may be silent before the bridge ends the call. Time on hold does not count. Raise it if calls end while a side sends no audio on purpose.",
    ),
  reconnect_timeout_seconds: seconds(5, 300)
    .default(30)
    .describe(
      "How long a client that lost its connection may take to come back, for example after it changed networks. A client that hangs up closes its connection; such a call ends within about 2 seconds.",
    ),
});
