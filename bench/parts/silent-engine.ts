// A media engine that carries nothing and answers at once, so that a call's signalling can be measured alone.
import { noMediaStats } from "../../src/core/call/model/media-stats.ts";
import type { CallMedia, MediaSession } from "../../src/ports/media.ts";

const sdp = (lines: readonly string[]): string => [...lines, ""].join("\r\n");

export const trunkOffer = sdp([
  "v=0",
  "o=- 1 1 IN IP4 127.0.0.1",
  "s=-",
  "c=IN IP4 127.0.0.1",
  "t=0 0",
  "m=audio 20000 RTP/AVP 8 0 126",
  "a=rtpmap:8 PCMA/8000",
  "a=rtpmap:0 PCMU/8000",
  "a=rtpmap:126 telephone-event/8000",
  "a=fmtp:126 0-15",
  "a=ptime:20",
  "a=sendrecv",
]);

export const clientAnswer = sdp([
  "v=0",
  "o=- 1 1 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0",
  "m=audio 9 UDP/TLS/RTP/SAVPF 8 126",
  "c=IN IP4 0.0.0.0",
  "a=mid:0",
  "a=sendrecv",
  "a=rtcp-mux",
  "a=rtpmap:8 PCMA/8000",
  "a=rtpmap:126 telephone-event/8000",
  "a=ice-ufrag:abcd",
  "a=ice-pwd:0123456789abcdef01234567",
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => "00").join(":")}`,
  "a=setup:active",
  "a=candidate:1 1 UDP 2122317823 127.0.0.1 30000 typ host",
  "a=end-of-candidates",
]);

export function silentEngine(): CallMedia {
  let sessions = 0;
  const session: MediaSession = {
    untold: undefined,
    offer: async () => ({ kind: "forward", description: trunkOffer }),
    answer: async () => clientAnswer,
    settle: async () => clientAnswer,
    describe: async () => trunkOffer,
    cross: async () => ({ a: clientAnswer, b: trunkOffer }),
    ring: async () => undefined,
    prompt: async () => undefined,
    sendDtmf: async () => true,
    addCandidates: () => undefined,
    stats: async () => noMediaStats,
    unheard: async () => [],
    handOver: async () => undefined,
    close: async () => {
      sessions -= 1;
      return noMediaStats;
    },
  };
  return {
    start: async () => undefined,
    open: async () => {
      sessions += 1;
      return session;
    },
    forget: () => undefined,
    health: () => ({ ready: true, sessions, free: 1_000_000, detail: "carries nothing" }),
    stop: async () => undefined,
  };
}
