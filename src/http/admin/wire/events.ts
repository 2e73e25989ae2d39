// What happens in the bridge, as the admin API tells it.
import * as z from "zod";
import { sideNames } from "../../../core/media-end.ts";
import type { BridgeEvent, Overrun } from "../../../ports/admin/bridge-event.ts";
import type { CallMeasured } from "../../../ports/admin/quality-door.ts";
import { call, callOf, callRecord, callRecordOf } from "./calls.ts";
import { limitNews, limitNewsOf, patternNews, patternNewsOf, scope, scopeOf } from "./limits.ts";
import { measured, measuredOf } from "./quality.ts";
import { time, timeOf } from "./scalars.ts";

const at = { at: time };

export const event = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.enum(["call.began", "call.rang", "call.connected"]), ...at, call }),
    z.object({ kind: z.literal("call.one-way-audio"), ...at, call, silent_side: z.enum([sideNames.a, sideNames.b]) }),
    measured,
    z.object({ kind: z.literal("call.ended"), ...at, record: callRecord }),
    z.object({ kind: z.enum(["trunk.up", "trunk.down"]), ...at, trunk: z.string(), detail: z.string() }),
    z.object({ kind: z.enum(["trunk.paused", "trunk.resumed"]), ...at, trunk: z.string() }),
    z.object({ kind: z.literal("certificate.ending"), ...at, trunk: z.string(), ends_at: time }),
    z.object({
      kind: z.enum(["message.delivered", "message.failed"]),
      ...at,
      direction: z.enum(["outbound", "inbound"]),
    }),
    z.object({ kind: z.literal("store.failed"), ...at, reason: z.string() }),
    z.object({ kind: z.enum(["store.mended", "bridge.draining"]), ...at }),
    z.object({ kind: z.enum(["limit.warned", "limit.reached"]), ...at, ...limitNews.shape }),
    z.object({ kind: z.literal("pattern.held"), ...at, ...patternNews.shape }),
    z.object({ kind: z.literal("calls.stopped"), ...at, scope, inbound: z.boolean(), who: z.string() }),
    z.object({ kind: z.literal("calls.started"), ...at, scope }),
    z.object({ kind: z.literal("feed.overrun"), missed: z.int() }),
  ])
  .describe(
    "call.one-way-audio: nothing of that side had reached the other one 10 s after the answer. call.measured: for streams that ask with measured=true. feed.overrun: whoever reads was too slow, and so many events before the next one are missing",
  );

export function eventOf(one: BridgeEvent | CallMeasured | Overrun): z.infer<typeof event> {
  switch (one.kind) {
    case "feed.overrun":
      return { kind: one.kind, missed: one.missed };
    case "call.began":
    case "call.rang":
    case "call.connected":
      return { kind: one.kind, at: timeOf(one.atMs), call: callOf(one.call) };
    case "call.one-way-audio":
      return { kind: one.kind, at: timeOf(one.atMs), call: callOf(one.call), silent_side: sideNames[one.silent] };
    case "call.measured":
      return measuredOf(one);
    case "call.ended":
      return { kind: one.kind, at: timeOf(one.atMs), record: callRecordOf(one.record) };
    case "trunk.up":
    case "trunk.down":
      return { kind: one.kind, at: timeOf(one.atMs), trunk: one.trunk, detail: one.detail };
    case "trunk.paused":
    case "trunk.resumed":
      return { kind: one.kind, at: timeOf(one.atMs), trunk: one.trunk };
    case "certificate.ending":
      return { kind: one.kind, at: timeOf(one.atMs), trunk: one.trunk, ends_at: timeOf(one.endsAtMs) };
    case "message.delivered":
    case "message.failed":
      return { kind: one.kind, at: timeOf(one.atMs), direction: one.direction };
    case "limit.warned":
    case "limit.reached":
      return { kind: one.kind, at: timeOf(one.atMs), ...limitNewsOf(one) };
    case "pattern.held":
      return { kind: one.kind, at: timeOf(one.atMs), ...patternNewsOf(one) };
    case "calls.stopped":
      return { kind: one.kind, at: timeOf(one.atMs), scope: scopeOf(one.scope), inbound: one.inbound, who: one.who };
    case "calls.started":
      return { kind: one.kind, at: timeOf(one.atMs), scope: scopeOf(one.scope) };
    case "store.failed":
      return { kind: one.kind, at: timeOf(one.atMs), reason: one.reason };
    case "store.mended":
    case "bridge.draining":
      return { kind: one.kind, at: timeOf(one.atMs) };
  }
}
