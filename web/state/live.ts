// What the bridge does now: asked once, kept true by its events, and asked again after a pause in which there were none.
import { createEventLines } from "../api/event-lines.ts";
import { Problem, type Client } from "../api/client.ts";
import type { BridgeEvent, Call, Limits, Quality, Status, Trunk } from "../api/types.ts";
import { remember } from "./ended-calls.ts";
import { createQualityBook, type QualityBook } from "./quality.ts";
import { createStore, type Store } from "./store.ts";

export interface Live {
  /** `lost`: what is shown is as old as `atMs`. */
  readonly link: "connecting" | "live" | "lost";
  /** When the bridge was heard last (ms since the epoch). */
  readonly atMs: number;
  readonly calls: readonly Call[] | undefined;
  readonly trunks: readonly Trunk[] | undefined;
  readonly limits: Limits | undefined;
  readonly status: Status | undefined;
  readonly quality: QualityBook;
}

export type Happening = Exclude<BridgeEvent, { kind: "feed.overrun" | "call.measured" }>;

export interface LiveFeed {
  readonly state: Store<Live>;
  /** Each event as it comes. */
  onEvent(listener: (event: Happening) => void): () => void;
  /** What was measured of a call before the console looked. */
  loadQuality(call: string): void;
  /** After something was ordered. */
  refresh(): void;
  start(): void;
  stop(): void;
}

const askEveryMs = 2_000;
/** The bridge says something every 15 s. */
const silenceMs = 40_000;
/** Of so many calls the list shows at once how they have sounded before. */
const mostLoaded = 20;
const retriesMs = [1_000, 2_000, 4_000, 8_000, 15_000];

export function createLiveFeed(client: Client): LiveFeed {
  const quality = createQualityBook();
  const state = createStore<Live>({
    link: "connecting",
    atMs: Date.now(),
    calls: undefined,
    trunks: undefined,
    limits: undefined,
    status: undefined,
    quality,
  });
  const listeners = new Set<(event: Happening) => void>();
  let running: AbortController | undefined;
  let failures = 0;

  async function ask(signal: AbortSignal): Promise<void> {
    const [calls, trunks, limits, status] = await Promise.all([
      client.ask<{ calls: readonly Call[] }>("/calls", { signal }),
      client.ask<{ trunks: readonly Trunk[] }>("/trunks", { signal }),
      client.ask<Limits>("/limits", { signal }),
      client.ask<Status>("/status", { signal }),
    ]);
    const atMs = Date.now();
    quality.keep(calls.calls.map(({ id }) => id));
    state.set((now) => ({ ...now, atMs, calls: calls.calls, trunks: trunks.trunks, limits, status }));
  }

  /** Rejects when the stream has ended. */
  async function follow(signal: AbortSignal): Promise<never> {
    const quiet = new AbortController();
    const either = AbortSignal.any([signal, quiet.signal]);
    let timer = setTimeout(() => quiet.abort(), silenceMs);
    try {
      const { body } = await client.open("/events", { query: { measured: "true" }, signal: either });
      if (body === null) throw new Problem("unreachable", "");
      await ask(either);
      failures = 0;
      state.set((now) => ({ ...now, link: "live" }));
      for (const { id, answered_at: answered } of state.get().calls?.slice(-mostLoaded) ?? [])
        if (answered !== undefined) loadQuality(id);
      const lines = createEventLines();
      const reader = body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) throw new Problem("unreachable", "the stream ended");
        clearTimeout(timer);
        timer = setTimeout(() => quiet.abort(), silenceMs);
        for (const data of lines.take(value)) take(JSON.parse(data) as BridgeEvent);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  function loadQuality(call: string): void {
    client.ask<Quality>(`/calls/${encodeURIComponent(call)}/quality`, { signal: running?.signal }).then(
      ({ samples }) => {
        quality.add(call, samples);
        state.set((now) => ({ ...now }));
      },
      // It has ended meanwhile, or the stream notices that the bridge is gone.
      () => {},
    );
  }

  function take(event: BridgeEvent): void {
    if (event.kind === "call.measured") {
      const { call, kind: _, ...sample } = event;
      quality.add(call, [sample]);
      state.set((now) => ({ ...now, atMs: Date.now() }));
      return;
    }
    feed.refresh();
    if (event.kind === "feed.overrun") return;
    if (event.kind === "call.ended") remember([event.record]);
    state.set((now) => ({ ...now, calls: callsAfter(now.calls ?? [], event) }));
    for (const listener of listeners) listener(event);
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await follow(signal).catch((error: unknown) => {
        // Whoever is signed out has another page before them.
        if (error instanceof Problem && error.code === "unauthorized") running?.abort();
      });
      if (signal.aborted) return;
      state.set((now) => ({ ...now, link: now.calls === undefined && failures === 0 ? "connecting" : "lost" }));
      const delayMs = retriesMs[Math.min(failures, retriesMs.length - 1)] ?? 1_000;
      failures += 1;
      await pause(delayMs, signal);
    }
  }

  let due: ReturnType<typeof setTimeout> | undefined;
  const again = (afterMs: number): void => {
    clearTimeout(due);
    due = setTimeout(() => {
      again(askEveryMs);
      const { link } = state.get();
      if (running === undefined || link !== "live" || document.hidden) return;
      // The stream notices by itself that the bridge is gone.
      ask(running.signal).catch(() => {});
    }, afterMs);
  };

  const feed: LiveFeed = {
    state,
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    loadQuality,
    refresh: () => again(50),
    start() {
      running = new AbortController();
      again(askEveryMs);
      void run(running.signal);
    },
    stop() {
      running?.abort();
      clearTimeout(due);
    },
  };
  return feed;
}

function callsAfter(calls: readonly Call[], event: Happening): readonly Call[] {
  switch (event.kind) {
    case "call.began":
    case "call.rang":
    case "call.connected": {
      const { call } = event;
      const known = calls.some(({ id }) => id === call.id);
      return known ? calls.map((one) => (one.id === call.id ? { ...call, media: one.media } : one)) : [...calls, call];
    }
    case "call.ended":
      return calls.filter(({ id }) => id !== event.record.id);
    default:
      return calls;
  }
}

/** Until the time is over, or the browser says that it is back in the network. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      removeEventListener("online", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    addEventListener("online", end);
    signal.addEventListener("abort", end, { once: true });
  });
}
