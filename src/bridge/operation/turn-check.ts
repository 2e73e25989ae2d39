// Tries once, when the homeserver is there, whether the TURN servers for calls work. Otherwise nobody would notice a
// wrong password until a call has no audio.
import type { Homeserver } from "../../ports/homeserver.ts";
import type { IceServer } from "../../ports/media.ts";
import type { Log } from "../../ports/telemetry.ts";

export interface TurnCheckParts {
  readonly homeserver: Pick<Homeserver, "bot" | "iceServers">;
  readonly configured: () => readonly IceServer[];
  /** Whether the homeserver's TURN servers are used. */
  readonly askHomeserver: () => boolean;
  /** What is wrong with them. Never rejects. */
  readonly probe: (
    servers: readonly IceServer[],
  ) => Promise<readonly { readonly server: string; readonly reason: string }[]>;
  readonly log: Log;
}

/** Gives a note for the operator; undefined where nothing is wrong. Never rejects. */
export async function checkTurn(parts: TurnCheckParts): Promise<string | undefined> {
  const { homeserver, configured, askHomeserver, probe, log } = parts;
  const lent = askHomeserver() ? await homeserver.iceServers(homeserver.bot).catch(() => []) : [];
  const sources = [
    { setting: "media.ice.servers", servers: configured() },
    { setting: "the homeserver's own TURN settings", servers: lent },
  ];
  const notes: string[] = [];
  for (const { setting, servers } of sources) {
    for (const { server, reason } of await probe(servers)) {
      log.warn("TURN server does not work: calls from some networks will have no audio", { setting, server, reason });
      notes.push(`TURN server ${server} ${reason}: check ${setting}`);
    }
  }
  return notes.length === 0 ? undefined : notes.join("; ");
}
