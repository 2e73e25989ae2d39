// An end that says nothing about itself in SDP. To the exchange it is one that has these formats, and speaks and hears.
import type { Description } from "../../core/sdp/description.ts";
import type { Format } from "../../core/sdp/format.ts";

export function wordless(formats: readonly Format[]): Description {
  return {
    sections: [],
    audioIndex: 0,
    audio: {
      kind: "audio",
      protocol: "",
      payloads: "",
      mid: undefined,
      port: 0,
      address: undefined,
      formats,
      direction: "sendrecv",
      rtcpMux: true,
      rtcpPort: undefined,
      ptimeMs: undefined,
      ice: undefined,
      fingerprint: undefined,
      setup: undefined,
      candidates: [],
      crypto: [],
    },
  };
}
