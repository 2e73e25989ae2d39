// `m.call.*` of the Matrix VoIP module, versions 0 and 1, from content to facts. Types are strict, unknown fields are let be.
// Which call a fact belongs to, and whether it comes in time, is not decided here.
import { z } from "zod";
import type { SaidByClient } from "../../core/call/model/cause.ts";
import type { IceCandidate } from "../../core/call/model/fact.ts";
import { matrixCallId, deviceId } from "../../core/ids.ts";
import type { CallReference, MatrixFact } from "../../ports/homeserver.ts";
import { offersVideo } from "../../core/sdp/video.ts";
import { legacyClient, type VoipVersion } from "../legs/legacy-form.ts";
import { type Envelope, userIdText } from "./envelope.ts";

/** An event holds 64 KiB in all, so no description can be longer. */
const maxSdpLength = 65_536;
/** A client with many interfaces and several TURN servers sends some dozens. */
const maxCandidates = 256;
const maxCandidateLength = 1_024;
const maxReasonLength = 255;
/** What every client sends, for one that sends none. */
const defaultLifetimeMs = 60_000;
const longestLifetimeMs = 10 * 60_000;

/**
 * The specification's opaque identifier is `[0-9A-Za-z-._~]`, 1 to 255. Party ids are device ids, which servers choose
 * more freely: anything printable and without a space is taken.
 */
const opaqueId = z.string().regex(/^[\x21-\x7e]{1,255}$/);

const referenceForm = z.object({
  call_id: opaqueId,
  party_id: opaqueId.optional().catch(undefined),
  version: z.union([z.string(), z.number()]).optional().catch(undefined),
});

const sdp = z.string().min(1).max(maxSdpLength);
const reason = z.string().max(maxReasonLength).optional().catch(undefined);
const lifetime = z
  .number()
  .finite()
  .positive()
  .optional()
  .catch(undefined)
  .transform((ms) => Math.min(ms ?? defaultLifetimeMs, longestLifetimeMs));

const inviteForm = z.object({
  offer: z.object({ type: z.literal("offer"), sdp }),
  lifetime,
  invitee: userIdText.optional(),
});

const answerForm = z.object({ answer: z.object({ type: z.literal("answer"), sdp }) });

const negotiateForm = z.object({ description: z.object({ type: z.enum(["offer", "answer"]), sdp }), lifetime });

const selectForm = z.object({ selected_party_id: opaqueId });

const endForm = z.object({ reason });

/** What of a client's `reason` is more than a person's wish (Matrix specification, m.call.hangup and m.call.reject). */
const saidByClient: ReadonlyMap<string, SaidByClient> = new Map([
  ["ice_failed", "media-failed"],
  ["ice_timeout", "media-failed"],
  ["user_media_failed", "callee-media-failed"],
  ["invite_timeout", "no-answer"],
  ["user_busy", "busy"],
]);

function saidIn({ reason }: z.output<typeof endForm>): SaidByClient | undefined {
  return reason === undefined ? undefined : saidByClient.get(reason);
}

const replaceForm = z.object({
  create_call: opaqueId.optional().catch(undefined),
  await_call: opaqueId.optional().catch(undefined),
  target_user: z
    .object({ id: userIdText.optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

const candidatesForm = z.object({ candidates: z.array(z.unknown()).max(maxCandidates) });

const candidateForm = z.object({
  candidate: z.string().max(maxCandidateLength),
  sdpMid: z.string().max(255).nullish().catch(undefined),
  sdpMLineIndex: z.number().int().min(0).max(255).nullish().catch(undefined),
});

/** Unknown versions are spoken to as version 1 (VoIP module, "Common fields"). Version 0 knows no parties. */
function readReference(content: unknown): { reference: CallReference; version: VoipVersion } | undefined {
  const parsed = referenceForm.safeParse(content);
  if (!parsed.success) return undefined;
  const { call_id, party_id, version } = parsed.data;
  const old = version === 0 || version === "0" || (version === undefined && party_id === undefined);
  const device = old || party_id === undefined ? undefined : deviceId(party_id);
  return { reference: { matrixCallId: matrixCallId(call_id), device }, version: old ? "0" : "1" };
}

/** Candidates that are none are left out; the others still help. */
function readCandidates(items: readonly unknown[]): readonly IceCandidate[] {
  return items.flatMap((item) => {
    const parsed = candidateForm.safeParse(item);
    if (!parsed.success) return [];
    const { candidate, sdpMid, sdpMLineIndex } = parsed.data;
    return [{ candidate, mid: sdpMid ?? null, mLineIndex: sdpMLineIndex ?? null }];
  });
}

/** What is left of a fact when its origin and call are known. */
type Particulars<F> = F extends MatrixFact
  ? Omit<F, "eventId" | "room" | "sender" | "ageMs" | "receivedAtMs" | keyof CallReference>
  : never;
type CallParticulars = Particulars<Extract<MatrixFact, CallReference>>;

type Reader = (content: unknown, version: VoipVersion) => CallParticulars | undefined;

function reader<Form extends z.ZodType>(
  form: Form,
  toFact: (content: z.output<Form>, version: VoipVersion) => CallParticulars,
): Reader {
  return (content, version) => {
    const parsed = form.safeParse(content);
    return parsed.success ? toFact(parsed.data, version) : undefined;
  };
}

const readers: ReadonlyMap<string, Reader> = new Map([
  [
    "m.call.invite",
    reader(inviteForm, ({ offer, lifetime, invitee }, version) => ({
      kind: "call.invited",
      description: offer.sdp,
      video: offersVideo(offer.sdp),
      lifetimeMs: lifetime,
      invitee,
      ...legacyClient(version),
    })),
  ],
  [
    "m.call.candidates",
    reader(candidatesForm, ({ candidates }) => ({ kind: "call.candidates", candidates: readCandidates(candidates) })),
  ],
  [
    "m.call.answer",
    reader(answerForm, ({ answer }, version) => ({
      kind: "call.answered",
      description: answer.sdp,
      ...legacyClient(version),
    })),
  ],
  [
    "m.call.select_answer",
    reader(selectForm, ({ selected_party_id }) => ({ kind: "call.selected", selected: deviceId(selected_party_id) })),
  ],
  ["m.call.reject", reader(endForm, (end) => ({ kind: "call.rejected", said: saidIn(end) }))],
  ["m.call.hangup", reader(endForm, (end) => ({ kind: "call.hungUp", said: saidIn(end) }))],
  [
    "m.call.replaces",
    reader(replaceForm, ({ create_call, await_call, target_user }): CallParticulars => {
      if (create_call !== undefined)
        return { kind: "call.replaced", replacement: { kind: "create", token: create_call, target: target_user?.id } };
      if (await_call !== undefined) return { kind: "call.replaced", replacement: { kind: "await", token: await_call } };
      // Whatever was meant: a client that has sent this forgets the call without a hang-up.
      return { kind: "call.hungUp", said: undefined };
    }),
  ],
  [
    "m.call.negotiate",
    reader(negotiateForm, ({ description, lifetime }) =>
      description.type === "offer"
        ? {
            kind: "call.offered",
            description: description.sdp,
            video: offersVideo(description.sdp),
            lifetimeMs: lifetime,
          }
        : { kind: "call.reanswered", description: description.sdp },
    ),
  ],
]);

/** Types that readCallFact understands. */
export const callTypes: readonly string[] = [...readers.keys()];

export function isCallType(type: string): boolean {
  return readers.has(type);
}

/** undefined: the content is not what its type asks for. */
export function readCallFact(event: Envelope): MatrixFact | undefined {
  const referred = readReference(event.content);
  const particulars = referred && readers.get(event.type)?.(event.content, referred.version);
  if (referred === undefined || particulars === undefined) return undefined;
  const { eventId, room, sender, ageMs, receivedAtMs } = event;
  return { eventId, room, sender, ageMs, receivedAtMs, ...referred.reference, ...particulars };
}
