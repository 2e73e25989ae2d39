// Audio, each link broken alone.
import { describe, test } from "vitest";
import { patience, seeAlone, take, withMedia, type Broken } from "./see-alone.ts";

const rows: readonly Broken[] = [
  {
    link: "engine",
    what: "nothing of what it says is heard",
    talk: async () => ({ packets: 0, lost: 0, codec: "PCMA" }),
    found: /it starts, and passes no audio/,
    mend: /troubleshooting\.md#engine/,
  },
  {
    link: "rtp-ports",
    what: "another program has them all",
    before: async ({ ports: { rtp }, ends }) => {
      for (let port = rtp; port < rtp + 20; port += 1) await take(port, ends);
    },
    found: /other programs have the ports/,
    mend: /media\.rtp\.ports/,
  },
  {
    link: "rtp-address",
    what: "the address that SDP names is nobody's",
    config: ({ media }) => ({ media: { ...media, rtp: { host: "127.0.0.1", advertised_host: "nowhere.invalid" } } }),
    found: /no address is found for nowhere\.invalid/,
    mend: /media\.rtp\.advertised_host/,
  },
  {
    link: "ice-ports",
    what: "another program has them all",
    config: ({ media, ports: { rtp } }) => ({
      media: {
        ...media,
        rtp: { host: "127.0.0.1", ports: { min: rtp, max: rtp + 9 } },
        ice: { host: "127.0.0.1", ports: { min: rtp + 10, max: rtp + 13 } },
      },
    }),
    before: async ({ ports: { rtp }, ends }) => {
      for (let port = rtp + 10; port <= rtp + 13; port += 1) await take(port, ends);
    },
    found: /other programs have the ports/,
    mend: /media\.ice\.ports/,
  },
  {
    link: "turn",
    what: "its server does not answer",
    ...withMedia({ ice: { servers: [{ urls: ["turn:127.0.0.1:9"], username: "u", credential: "secret" }] } }),
    found: /TURN server 127\.0\.0\.1:9 does not answer/,
    mend: /media\.ice\.servers/,
  },
  {
    link: "matrix-rtc",
    what: "the token service does not answer",
    homeserver: { mediaServices: ["http://127.0.0.1:9"] },
    found: /token service of MatrixRTC does not answer/,
    mend: /matrix_rtc\.transports|rtc\.livekit_service_url/,
  },
];

describe("broken alone", () => {
  test.for(rows)("$link: $what", patience, async (broken, { onTestFinished }) => seeAlone(broken, onTestFinished));
});
