// The stored form of a call, parsed on the way in. A row that cannot be read is a value here, never an exception: one bad row
// must not keep the bridge from starting, and the trunk's dialog in it is ended all the same.
import { callerBadges } from "../../core/policy/caller-badge.ts";
import { z } from "zod";
import { fresh } from "../../core/call/model/call.ts";
import { noMediaStats } from "../../core/call/model/media-stats.ts";
import type { StoredCall } from "../../core/call/recover.ts";
import { callId, sipCallId, trunkName } from "../../core/ids.ts";
import { inTodaysForm } from "./earlier-calls.ts";
import { cause, leg, legAddress, maybe, number, parseObject, place, problemOf, text, user } from "./stored-json.ts";

/** Of the form below. Version 1, which said no number, was the call itself; version 2 knew one kind of client (stored-json.ts). */
const storedVersion = 3;

/** What a row holds; `problem` says what could not be read. Without a call there is nothing left to end. */
export interface ReadCall {
  readonly call: StoredCall | undefined;
  readonly problem: string | undefined;
}

const address = z.object({ host: text, port: number });

const dialog = z.object({
  trunk: text.transform(trunkName),
  sipCallId: text.transform(sipCallId),
  localTag: text,
  remoteTag: text,
  localUri: text,
  remoteUri: text,
  remoteTarget: text,
  routeSet: z.array(text),
  localCSeq: number,
  remoteCSeq: maybe(number),
  secure: z.boolean(),
  localAddress: address,
});

const invite = z.object({
  trunk: text.transform(trunkName),
  sipCallId: text.transform(sipCallId),
  localTag: text,
  from: text,
  to: text,
  via: text,
  branch: text,
  requestUri: text,
  routes: z.array(text),
  cseq: number,
  localAddress: address,
});

const incoming = z.object({
  trunk: text.transform(trunkName),
  vias: z.array(text),
  from: text,
  to: text,
  sipCallId: text.transform(sipCallId),
  cseq: number,
  localAddress: address,
});

const side = {
  id: text.transform(callId),
  name: text.transform(trunkName),
  number: text,
  abilities: z.object({ infoDtmf: z.boolean(), refer: z.boolean() }),
};
const trunk = z.discriminatedUnion("state", [
  z.object({ ...side, state: z.literal("inviting"), invite: maybe(invite) }),
  z.object({ ...side, state: z.literal("incoming"), dialog, incoming }),
  z.object({ ...side, state: z.literal("confirmed"), dialog, answeredAtMs: number }),
  // A leg of which the trunk knows nothing was stored as one of its own before.
  z.object({
    ...side,
    state: z.enum(["over", "unsent"]).transform(() => "over" as const),
    sipCallId: maybe(text.transform(sipCallId)),
  }),
]);

const farewell = z.object({
  leg: legAddress,
  by: z.enum(["reject", "hangup", "either"]),
  state: z.enum(["owed", "lost"]),
  cause,
});

const notices = z.object({ failures: z.boolean(), history: z.boolean() });
const call = z.object({
  id: text.transform(callId),
  direction: z.enum(["outbound", "inbound", "joined"]),
  number: text,
  called: maybe(text),
  badge: maybe(z.enum(callerBadges)),
  startedAtMs: number,
  maxDurationMs: number,
  notices,
  shown: z
    .unknown()
    .optional()
    .transform(() => undefined),
  outstanding: z.object({ releases: number, farewells: z.array(farewell) }),
  held: z
    .unknown()
    .optional()
    .transform(() => undefined),
  phase: z.object({
    kind: z.literal("ending"),
    leg: maybe(leg),
    address: maybe(legAddress),
    person: maybe(user),
    cause,
    sipStatus: maybe(number),
    trunks: z.array(trunk),
    ringingAtMs: maybe(number),
    answeredAtMs: maybe(number),
    endedAtMs: number,
    // The session has gone with the process.
    media: z
      .unknown()
      .optional()
      .transform(() => ({ state: "released", stats: noMediaStats }) as const),
    rooms: z.array(farewell),
  }),
});
const storedCall = z.object({
  call,
  interrupted: z.boolean(),
  notices: z.array(z.object({ kind: z.literal("matrix.notice"), leg: z.object(place), text })),
});

export function writeCall(stored: StoredCall): string {
  return JSON.stringify({ version: storedVersion, ...stored });
}

export function readCall(id: string, json: string): ReadCall {
  const value = parseObject(json);
  if (value === undefined) return { call: undefined, problem: "not JSON of a call" };
  const today = inTodaysForm(value);
  const parsed = storedCall.safeParse(today);
  if (!parsed.success) return { call: trunksAlone(id, today), problem: problemOf(parsed.error) };
  if (parsed.data.call.id !== id) return { call: undefined, problem: `call.id: is that of ${parsed.data.call.id}` };
  return { call: parsed.data, problem: undefined };
}

const anyTrunks = z.object({
  call: z.object({ phase: z.object({ trunks: z.array(trunk.or(z.null()).catch(null)) }) }),
});

/** Somebody may still be on the telephone, whatever else has become of the call. */
function trunksAlone(id: string, value: unknown): StoredCall | undefined {
  const parsed = anyTrunks.safeParse(value);
  const trunks = parsed.success ? parsed.data.call.phase.trunks.filter((one) => one !== null) : [];
  const [first, second] = trunks;
  if (first === undefined) return undefined;
  return {
    interrupted: true,
    notices: [],
    call: {
      id: callId(id),
      direction: second !== undefined ? "joined" : first.state === "incoming" ? "inbound" : "outbound",
      number: first.number,
      called: undefined,
      startedAtMs: 0,
      maxDurationMs: 0,
      notices: { failures: false, history: false },
      ...fresh,
      phase: {
        kind: "ending",
        leg: undefined,
        address: undefined,
        person: undefined,
        cause: "restarted",
        sipStatus: undefined,
        trunks,
        ringingAtMs: undefined,
        answeredAtMs: undefined,
        endedAtMs: 0,
        media: { state: "released", stats: noMediaStats },
        rooms: [],
      },
    },
  };
}
