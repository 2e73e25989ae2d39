// The call ladder as it happens: what homeserver and gateway saw pass, one line each, between four columns.
//
//   client          homeserver         bridge            gateway
import type { GatewayLog } from "../gateway/gateway.ts";
import type { ClientEvent, Homeserver } from "../homeserver/homeserver.ts";
import type { Lookup } from "../homeserver/appservice/thirdparty.ts";

export type Print = (line: string) => void;

export interface Ladder {
  readonly gatewayLog: GatewayLog;
  /** From now on also what passes through the homeserver. */
  watch(homeserver: Homeserver, isGhost: (userId: string) => boolean): void;
}

type Column = "client" | "ghost" | "bridge" | "gateway";

export function createLadder(print: Print): Ladder {
  let startMs: number | undefined;
  const line = (from: Column, to: Column, what: string): void => {
    startMs ??= performance.now();
    const seconds = ((performance.now() - startMs) / 1000).toFixed(3).padStart(8);
    print(`${seconds}  ${from.padStart(7)} -> ${to.padEnd(7)}  ${what}`);
  };
  /** The SIP Call-IDs so far. */
  const seen = new Set<string>();
  /** A call begins with its lookup, or with what the gateway sends by itself: the clock starts anew. */
  const begin = (): void => {
    print("");
    startMs = performance.now();
  };
  const lookup = ({ query, results }: Lookup): void => {
    begin();
    const number = query.get("m.id.phone") ?? "";
    const found = results[0]?.["userid"];
    line("client", "bridge", `lookup ${number}`);
    line("bridge", "client", typeof found === "string" ? found : "nobody has it");
  };

  return {
    watch(homeserver, isGhost) {
      homeserver.onLookup(lookup);
      homeserver.onEvent((event) => {
        const what = describeEvent(event);
        if (what === undefined) return;
        const ghost = isGhost(event.sender);
        line(ghost ? "ghost" : "client", ghost ? "client" : "ghost", what);
      });
    },
    gatewayLog(entry) {
      switch (entry.kind) {
        case "sip": {
          // The trunk's heartbeat and its registration are not part of a call.
          if (/ (OPTIONS|REGISTER)$/.test(entry.cseq)) return;
          if (!seen.has(entry.sipCallId)) {
            seen.add(entry.sipCallId);
            if (entry.way === "out" && !entry.own) begin();
          }
          const again = entry.again ? " (again)" : "";
          const response = /^\d/.test(entry.what) ? ` (${entry.cseq.replace(/^\d+ /, "")})` : "";
          const what = `${entry.what}${response}${again}`;
          // A call that it makes for somebody who was transferred: said once, as sent.
          if (entry.own) {
            if (entry.way === "out") line("gateway", "gateway", what);
          } else if (entry.way === "in") line("bridge", "gateway", what);
          else line("gateway", "bridge", what);
          return;
        }
        case "audio":
          line("bridge", "gateway", `RTP: the first audio, ${entry.codec}`);
          return;
        case "digit":
          line("bridge", "gateway", `RTP: key ${entry.digit}, ${Math.round(entry.durationMs)} ms`);
          return;
        case "ended": {
          const { hz, ratio } = entry.heard;
          if (hz !== undefined && ratio > 1) line("bridge", "gateway", `RTP: a tone of ${hz} Hz was heard last`);
          return;
        }
        case "fault":
          line("gateway", "gateway", `${entry.what}${entry.error ? `: ${entry.error.message}` : ""}`);
          return;
        default:
          entry satisfies never;
      }
    },
  };
}

function describeEvent({ type, content, state_key }: ClientEvent & { state_key?: string }): string | undefined {
  const text = (key: string): string => (typeof content[key] === "string" ? content[key] : "");
  if (type === "m.room.member") {
    if (text("membership") === "invite") return `invites ${state_key} to a room`;
    return text("membership") === "join" && state_key !== undefined ? "joins" : undefined;
  }
  if (type === "m.room.message") return `says: ${text("body")}`;
  if (!type.startsWith("m.call.")) return undefined;
  const { candidates, description } = content;
  if (Array.isArray(candidates)) return `${type} (${candidates.length})`;
  const sdp = (description as { type?: string; sdp?: string } | undefined) ?? {};
  if (sdp.type !== undefined)
    return `${type} (${sdp.type}, ${/a=((?:send|recv)\w+|inactive)/.exec(sdp.sdp ?? "")?.[1]})`;
  return text("reason") === "" ? type : `${type} (${text("reason")})`;
}
