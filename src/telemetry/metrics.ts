// Metrics for Prometheus, in a registry of our own: libraries that use the global one stay out of it.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "@prometheus-io/client";
import { allCauses, describeCause } from "../core/call/model/cause.ts";
import { noMediaStats } from "../core/call/model/media-stats.ts";
import { mediaEnds, sideNames, type MediaEnd } from "../core/media-end.ts";
import type { CallRecord } from "../core/call/model/record.ts";
import { qualityBetween } from "../core/quality/direction-quality.ts";
import type { Scope } from "../core/policy/spending/allowance.ts";
import type { Suspicion } from "../core/policy/spending/patterns.ts";
import type { LookupOutcome, Telemetry, TextDirection, TextOutcome } from "../ports/telemetry.ts";

const prefix = "matrix_sip_";
/** Seconds. A call that is answered was ringing for most of this. */
const setupBuckets = [0.5, 1, 2, 3, 5, 8, 12, 20, 30, 45, 60, 90];
const requestBuckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 20];
const durationBuckets = [5, 15, 30, 60, 180, 300, 600, 1_800, 3_600, 7_200];

/** Names of the telephone network in lookups. What a stranger asks for beyond these must not make new series. */
const knownProtocols: ReadonlySet<string> = new Set(["m.protocol.pstn", "im.vector.protocol.pstn"]);

const directions: readonly CallRecord["direction"][] = ["outbound", "inbound", "joined"];

type Counted = Omit<Telemetry, "log" | "tracing" | "logLevel" | "setLogLevel" | "shownNumber">;

export class Metrics implements Counted {
  readonly #registry = new Registry();
  readonly #active = new Map<CallRecord["direction"], number>(directions.map((direction) => [direction, 0]));

  readonly #calls = new Counter({
    name: `${prefix}calls_total`,
    help: "Calls that ended, by whose doing it was and why.",
    labelNames: ["direction", "result", "cause"],
    registers: [this.#registry],
  });
  readonly #callsActive = new Gauge({
    name: `${prefix}calls_active`,
    help: "Calls that have begun and not ended.",
    labelNames: ["direction"],
    registers: [this.#registry],
  });
  readonly #setup = new Histogram({
    name: `${prefix}call_setup_seconds`,
    help: "Time from the invite, the client's or the trunk's, until the call was answered.",
    buckets: setupBuckets,
    registers: [this.#registry],
  });
  readonly #duration = new Histogram({
    name: `${prefix}call_duration_seconds`,
    help: "Time from the answer to the end, of answered calls.",
    buckets: durationBuckets,
    registers: [this.#registry],
  });
  readonly #texts = new Counter({
    name: `${prefix}texts_total`,
    help: "Texts that were to be passed on, by direction and what became of them.",
    labelNames: ["direction", "outcome"],
    registers: [this.#registry],
  });
  readonly #lookups = new Counter({
    name: `${prefix}lookups_total`,
    help: "Numbers looked up, by network name and outcome.",
    labelNames: ["protocol", "outcome"],
    registers: [this.#registry],
  });
  readonly #homeserver = new Histogram({
    name: `${prefix}homeserver_request_seconds`,
    help: "Time until the homeserver answered a request, by request and class of status.",
    buckets: requestBuckets,
    labelNames: ["request", "status"],
    registers: [this.#registry],
  });
  readonly #limits = new Counter({
    name: `${prefix}limits_total`,
    help: "Limits of minutes or money of which 80 % were used, or all, by whose limit it is.",
    labelNames: ["scope", "state"],
    registers: [this.#registry],
  });
  readonly #held = new Counter({
    name: `${prefix}calls_held_total`,
    help: "Holds of a person's calls to a range of numbers because they look like fraud, by shape.",
    labelNames: ["shape"],
    registers: [this.#registry],
  });
  readonly #trunkUp = new Gauge({
    name: `${prefix}trunk_up`,
    help: "1 where the trunk answers, 0 where it does not.",
    labelNames: ["trunk"],
    registers: [this.#registry],
  });
  readonly #certificateEnds = new Gauge({
    name: `${prefix}certificate_ends_timestamp_seconds`,
    help: "When the bridge's own certificate for a trunk ends, in seconds since the epoch.",
    labelNames: ["trunk"],
    registers: [this.#registry],
  });
  readonly #events = new Counter({
    name: `${prefix}events_total`,
    help: "Events taken from the homeserver, repeated ones included.",
    registers: [this.#registry],
  });
  readonly #duplicates = new Counter({
    name: `${prefix}events_duplicate_total`,
    help: "Events that the homeserver had sent before.",
    registers: [this.#registry],
  });
  readonly #inbox = new Gauge({
    name: `${prefix}inbox_events`,
    help: "Events taken that the bridge has not finished with.",
    registers: [this.#registry],
  });
  readonly #unheard = new Counter({
    name: `${prefix}calls_unheard_total`,
    help: "Calls in which nothing of a side had reached the other one 10 s after the answer.",
    labelNames: ["side"],
    registers: [this.#registry],
  });
  readonly #ignored = new Counter({
    name: `${prefix}facts_ignored_total`,
    help: "Facts that did not fit the phase of their call.",
    labelNames: ["fact", "phase"],
    registers: [this.#registry],
  });
  readonly #mediaPackets = new Counter({
    name: `${prefix}media_packets_total`,
    help: "RTP packets received in calls that ended, by the side they came from.",
    labelNames: ["side"],
    registers: [this.#registry],
  });
  readonly #converted = new Counter({
    name: `${prefix}calls_converted_total`,
    help: "Calls that ended and whose audio was converted, by the codec at each side, and by the side whose audio was converted.",
    labelNames: [sideNames.a, sideNames.b, "side"],
    registers: [this.#registry],
  });
  readonly #loss = new Histogram({
    name: `${prefix}call_loss_ratio`,
    help: "Packets that did not come, of those that should have, in answered calls that ended: by trunk, and by the side they should have come from.",
    labelNames: ["trunk", "side"],
    buckets: [0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2],
    registers: [this.#registry],
  });
  readonly #jitter = new Histogram({
    name: `${prefix}call_jitter_seconds`,
    help: "Interarrival jitter at the end of answered calls, by trunk and by the side the packets came from.",
    labelNames: ["trunk", "side"],
    buckets: [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2],
    registers: [this.#registry],
  });
  readonly #opinion = new Histogram({
    name: `${prefix}call_mos`,
    help: "Mean opinion score by the E-model of answered calls that ended, by trunk and by the side that spoke.",
    labelNames: ["trunk", "side"],
    buckets: [2, 2.5, 3, 3.5, 3.8, 4, 4.2, 4.3],
    registers: [this.#registry],
  });
  readonly #mediaLost = new Counter({
    name: `${prefix}media_packets_lost_total`,
    help: "RTP packets expected and not received in calls that ended, by the side they should have come from.",
    labelNames: ["side"],
    registers: [this.#registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    // A series that does not exist before its first event hides that event from rate().
    for (const direction of directions) {
      this.#callsActive.set({ direction }, 0);
      if (direction !== "joined")
        for (const outcome of ["delivered", "failed"]) this.#texts.inc({ direction, outcome }, 0);
      for (const cause of allCauses) this.#calls.inc({ direction, result: describeCause(cause).result, cause }, 0);
    }
    for (const end of mediaEnds)
      for (const counter of [this.#unheard, this.#mediaPackets, this.#mediaLost])
        counter.inc({ side: sideNames[end] }, 0);
  }

  callStarted(direction: CallRecord["direction"]): void {
    this.#count(direction, 1);
  }

  #count(direction: CallRecord["direction"], change: 1 | -1): void {
    // A call of an earlier process ends here without having begun here.
    const active = Math.max(0, (this.#active.get(direction) ?? 0) + change);
    this.#active.set(direction, active);
    this.#callsActive.set({ direction }, active);
  }

  callAnswered(setupMs: number): void {
    this.#setup.observe(setupMs / 1_000);
  }

  callEnded(record: CallRecord, begunAs: CallRecord["direction"]): void {
    this.#count(begunAs, -1);
    this.#calls.inc({ direction: record.direction, result: record.result, cause: record.cause });
    if (record.answeredAtMs !== undefined) {
      this.#duration.observe((record.endedAtMs - record.answeredAtMs) / 1_000);
    }
    if (record.answeredAtMs !== undefined) this.#rate(record);
    const { converted } = record.media;
    if (converted !== undefined) {
      const side = converted.only === undefined ? "both" : sideNames[converted.only];
      this.#converted.inc({ [sideNames.a]: converted.a, [sideNames.b]: converted.b, side });
    }
    for (const end of mediaEnds) {
      const side = sideNames[end];
      this.#mediaPackets.inc({ side }, record.media[end].packets);
      this.#mediaLost.inc({ side }, record.media[end].lost);
    }
  }

  #rate({ media, trunk }: CallRecord): void {
    const quality = qualityBetween(noMediaStats, media);
    for (const end of mediaEnds) {
      const { packets, lostPercent, jitterMs, opinion } = quality[end];
      if (packets === 0) continue;
      const labels = { trunk: trunk ?? "none", side: sideNames[end] };
      this.#loss.observe(labels, lostPercent / 100);
      this.#jitter.observe(labels, jitterMs / 1_000);
      if (opinion !== undefined) this.#opinion.observe(labels, opinion);
    }
  }

  texted(direction: TextDirection, outcome: TextOutcome): void {
    this.#texts.inc({ direction, outcome });
  }

  lookedUp(protocol: string, outcome: LookupOutcome): void {
    this.#lookups.inc({ protocol: knownProtocols.has(protocol) ? protocol : "other", outcome });
  }

  limitTold(scope: Scope["kind"], what: "warned" | "reached"): void {
    this.#limits.inc({ scope, state: what });
  }
  callsHeld(shape: Suspicion["shape"]): void {
    this.#held.inc({ shape });
  }
  callUnheard(end: MediaEnd): void {
    this.#unheard.inc({ side: sideNames[end] });
  }

  factIgnored(fact: string, phase: string): void {
    this.#ignored.inc({ fact, phase });
  }

  homeserverAnswered(request: string, status: number, tookMs: number): void {
    const kind = status === 0 ? "none" : status === 429 ? "429" : `${Math.floor(status / 100)}xx`;
    this.#homeserver.observe({ request, status: kind }, tookMs / 1_000);
  }

  trunkState(trunk: string, up: boolean): void {
    this.#trunkUp.set({ trunk }, up ? 1 : 0);
  }

  certificateEnds(trunk: string, atMs: number): void {
    this.#certificateEnds.set({ trunk }, atMs / 1_000);
  }

  eventsTaken(count: number, duplicates: number): void {
    this.#events.inc(count);
    this.#duplicates.inc(duplicates);
  }

  inboxDepth(events: number): void {
    this.#inbox.set(events);
  }

  /** The text that Prometheus scrapes, and its media type. */
  async exposition(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}
