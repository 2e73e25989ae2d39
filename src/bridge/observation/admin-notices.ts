// What admins read in their room about what happens in the bridge.
import { durationText } from "../../core/call/ending/room-notices.ts";
import { limitWords } from "../../core/policy/spending/words.ts";
import { sideNames } from "../../core/media-end.ts";
import type { BridgeEvent } from "../../ports/admin/bridge-event.ts";

type Stopped = Extract<BridgeEvent, { kind: "calls.stopped" }>;
type OneWay = Extract<BridgeEvent, { kind: "call.one-way-audio" }>;

const dayMs = 24 * 3_600_000;

/** Undefined: it is nothing that admins have to act on. Trunks that go up and down are told when it lasts (admin-room.ts). */
export function adminNotice(event: BridgeEvent): string | undefined {
  switch (event.kind) {
    case "store.failed":
      return `The database cannot be written: ${event.reason}. Calls that are up go on, new ones are refused.`;
    case "store.mended":
      return "The database can be written again.";
    case "certificate.ending":
      return certificateWords(event.trunk, event.endsAtMs - event.atMs);
    case "limit.warned":
      return limitWords(event, event.currency);
    case "limit.reached":
      return `A limit is met, so calls are refused: ${limitWords(event, event.currency)}`;
    case "calls.stopped":
      return `${event.who} has stopped ${stoppedWords(event)}. “${startCommand(event.scope)}” lets them begin again.`;
    case "calls.started":
      return `${capitalised(stoppedWords({ ...event, inbound: false }))} may begin again.`;
    case "call.one-way-audio":
      return oneWayWords(event);
    case "pattern.held":
      return `Calls of ${event.person} to +${event.prefix}… are held because they look like fraud: ${event.why}. To release them, write to me alone “allow ${event.person} +${event.prefix}”, or run “calls allow ${event.person} +${event.prefix}”.`;
    default:
      return undefined;
  }
}

export const trunkDownWords = (trunk: string, detail: string): string =>
  `Trunk ${trunk} is down: ${detail}. No calls get through on it.`;
export const trunkUpWords = (trunk: string, downMs: number): string =>
  `Trunk ${trunk} is up again. It was down for ${durationText(downMs)}.`;
export const moreWords = (count: number): string => `${count} more of these are in the log.`;

function stoppedWords({ scope, inbound }: Pick<Stopped, "scope" | "inbound">): string {
  const calls = inbound ? "all calls" : "outgoing calls";
  switch (scope.kind) {
    case "user":
      return `${calls} of ${scope.name}`;
    case "trunk":
      return `${calls} over trunk ${scope.name}`;
    case "country":
      return `${calls} to ${scope.name}`;
    case "bridge":
      return calls;
  }
}

function startCommand({ kind, name }: Stopped["scope"]): string {
  return kind === "user" || kind === "trunk" ? `calls start --${kind} ${name}` : "calls start";
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function oneWayWords({ call, silent }: OneWay): string {
  const where = call.trunk === undefined ? "" : ` over trunk ${call.trunk}`;
  const who = sideNames[silent] === "trunk" ? "the telephone" : (call.person ?? "the person in Matrix");
  return `In call ${call.id}${where}, nothing was heard of ${who} for 10 s after the answer. “calls show ${call.id}” has more.`;
}

function certificateWords(trunk: string, leftMs: number): string {
  const setting = `Renew the file that trunks[${trunk}].tls.certificate holds.`;
  if (leftMs <= 0) return `The bridge's certificate for trunk ${trunk} is not valid any more. ${setting}`;
  const days = Math.floor(leftMs / dayMs);
  const when = days === 0 ? "today" : days === 1 ? "tomorrow" : `in ${days} days`;
  return `The bridge's certificate for trunk ${trunk} ends ${when}. ${setting}`;
}
