// Every link of the chain that the doctor looks at: ids, which are the headings of docs/troubleshooting.md and names for
// programs, with what people read. Nothing here is ever renamed.

export const groups = ["files", "machine", "homeserver", "audio", "trunk", "call"] as const;
export type CheckGroup = (typeof groups)[number];

interface Entry {
  readonly group: CheckGroup;
  readonly title: string;
}

/** In the order of the output. */
export const catalogue = {
  config: { group: "files", title: "Configuration" },
  registration: { group: "files", title: "Registration" },
  "people-registration": { group: "files", title: "Registration for people" },
  "file-modes": { group: "files", title: "Modes of files" },
  "encryption-secret": { group: "files", title: "Encryption secret" },

  node: { group: "machine", title: "Node" },
  bridge: { group: "machine", title: "Running bridge" },
  store: { group: "machine", title: "Database" },
  ports: { group: "machine", title: "Ports" },
  clock: { group: "machine", title: "Clock" },

  homeserver: { group: "homeserver", title: "Homeserver" },
  "homeserver-certificate": { group: "homeserver", title: "Its certificate" },
  "homeserver-identity": { group: "homeserver", title: "Knows the bridge" },
  "homeserver-ping": { group: "homeserver", title: "Reaches the bridge" },
  "dial-pad": { group: "homeserver", title: "Dial pad" },
  "ghost-ids": { group: "homeserver", title: "Ids of numbers" },
  invitations: { group: "homeserver", title: "Invitations" },
  "homeserver-limits": { group: "homeserver", title: "Limits for people" },

  engine: { group: "audio", title: "Engine" },
  "rtp-ports": { group: "audio", title: "RTP ports" },
  "rtp-address": { group: "audio", title: "RTP address" },
  "ice-ports": { group: "audio", title: "ICE ports" },
  turn: { group: "audio", title: "TURN" },
  "matrix-rtc": { group: "audio", title: "MatrixRTC" },

  "trunk-dns": { group: "trunk", title: "DNS" },
  "trunk-transport": { group: "trunk", title: "Reachability" },
  "trunk-certificate": { group: "trunk", title: "Certificate" },
  "own-certificate": { group: "trunk", title: "Own certificate" },
  "trunk-options": { group: "trunk", title: "OPTIONS" },
  "trunk-credentials": { group: "trunk", title: "Credentials" },
  "trunk-registration": { group: "trunk", title: "Registration" },
  "trunk-codecs": { group: "trunk", title: "Codecs" },

  call: { group: "call", title: "Test call" },
} as const satisfies Readonly<Record<string, Entry>>;

export type CheckId = keyof typeof catalogue;

export const checkIds = Object.keys(catalogue) as readonly CheckId[];
