// The section `admin`: where admins' tools reach the running bridge, and what they may see.
import {
  bindHost,
  filePath,
  flag,
  hostName,
  httpUrl,
  listOf,
  roomId,
  secretFile,
  section,
  text,
  userId,
  whole,
} from "./scalars.ts";

const tokenError = "should be a text of 16 to 200 characters without spaces";

export const admin = section({
  socket: section({
    enabled: flag.default(true).describe("Whether there is a Unix socket."),
    path: filePath
      .optional()
      .describe(
        "Path of the socket, relative to the folder of this file. Default: `admin.sock` in systemd's runtime directory if there is one, else beside the SQLite file, with `.sock` instead of `.db` at its end.",
      )
      .meta({ examples: ["/run/matrix-appservice-sip/admin.sock"] }),
  })
    .prefault({})
    .describe("The Unix socket that the commands use. Only the user that runs the bridge, and root, can open it."),
  listen: section({
    host: bindHost.default("127.0.0.1").describe("Address to listen on."),
    port: whole(0, 65_535, "port number")
      .describe("Port to listen on.")
      .meta({ examples: [9995] }),
  })
    .optional()
    .describe("A port for tools that cannot use the socket. It needs a token. It speaks HTTP without TLS."),
  host_names: listOf(hostName, "host names")
    .default([])
    .describe(
      "Host names by which tools address the port, such as that of a reverse proxy. Addresses and localhost are always right; requests for other names are refused, so that no web page can reach the port through a browser.",
    )
    .meta({ examples: [["bridge.example.org"]] }),
  token: text(tokenError)
    .regex(/^\S{16,200}$/, { error: tokenError })
    .optional()
    .describe(
      "What requests to the port have to bring (`Authorization: Bearer TOKEN`), and those for metrics if `http.listen` is not on a loopback address. Make one with `openssl rand -hex 32`. The environment variable MATRIX_SIP_ADMIN_TOKEN overrides it.",
    )
    .meta({ examples: ["a-long-random-token"] }),
  token_file: secretFile("admin-token"),
  users: listOf(userId, "Matrix user ids")
    .max(50, { error: "should name 50 users at most" })
    .default([])
    .describe(
      "Matrix users who are admins of the bridge: they may log in to the console without the token, and give the bot the orders of admins (docs/orders.md).",
    )
    .meta({ reload: "now", examples: [["@alice:example.org"]] }),
  room: roomId
    .optional()
    .describe(
      "A room that is told what admins should know at once: that a trunk is down, say (docs/admin.md#the-admin-room). Invite the bot there.",
    )
    .meta({ reload: "now", examples: ["!admins:example.org"] }),
  console: section({
    enabled: flag.default(false).describe("Whether the port serves the console, a web page for admins."),
    url: httpUrl
      .optional()
      .describe(
        "Address at which admins' browsers reach the port, such as that of a reverse proxy. Its host name counts as one of `host_names`. Default: the address and port of `listen`.",
      )
      .meta({ examples: ["https://bridge.example.org"] }),
  })
    .prefault({})
    .describe("The console in the browser (docs/admin.md)."),
  whole_numbers: flag
    .default(false)
    .describe(
      "Whether admins may ask for whole telephone numbers in the history of calls. When it is off, numbers are hidden there as in the log (`logging.mask_numbers`).",
    ),
});
