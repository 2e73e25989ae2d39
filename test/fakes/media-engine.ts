// A media engine without packets: it gives ends that SDP can name, remembers where they were aimed and what passes, and
// loses its sessions when the test says so.
import { mediaEnds, type MediaEnd, type Prompt } from "../../src/core/media-end.ts";
import { noMediaStats, type MediaStats } from "../../src/core/call/model/media-stats.ts";
import type { CallId } from "../../src/core/ids.ts";
import { codecStats, type Flows } from "../../src/core/sdp/exchange/flows.ts";
import type {
  EngineEnd,
  EngineSession,
  Following,
  LocalClient,
  LocalTrunk,
  MediaCapabilities,
  MediaEngine,
  RemoteEnd,
} from "../../src/ports/media-engine.ts";
import { MediaError, type MediaHealth, type MediaReport, type MediaSessionOptions } from "../../src/ports/media.ts";

const localClient: LocalClient = {
  ice: { ufrag: "fake", pwd: "fakefakefakefakefakefake" },
  fingerprint: { algorithm: "sha-256", value: Array.from({ length: 32 }, () => "FA").join(":") },
  setup: "actpass",
  candidates: [
    {
      foundation: "h1",
      component: 1,
      transport: "udp",
      priority: 2_122_260_223,
      address: "127.0.0.1",
      port: 40_000,
      type: "host",
      related: undefined,
      ufrag: undefined,
    },
  ],
  ssrc: 1,
  cname: "fake",
};

export class FakeMediaEngine implements MediaEngine {
  readonly capabilities: MediaCapabilities;
  /** Those that are open, and all that ever were. */
  readonly sessions = new Set<FakeEngineSession>();
  readonly opened: FakeEngineSession[] = [];
  /** Legs whose dialogs are over. */
  readonly forgotten: CallId[] = [];
  /** Why it does not start, and why it opens no session. */
  startFailure: MediaError | undefined;
  refusal: MediaError | undefined;
  /** What is agreed is never followed. */
  stuck = false;
  /** Ends from which audio comes. */
  heard: readonly MediaEnd[] = [];
  /** What has come from the ends. */
  counted: MediaStats = noMediaStats;
  #nextPort = 30_000;

  constructor(capabilities: Partial<MediaCapabilities> = {}) {
    this.capabilities = { ends: ["client", "trunk", "prompt"], conversions: [], ...capabilities };
  }

  async start(): Promise<void> {
    if (this.startFailure !== undefined) throw this.startFailure;
  }
  async stop(): Promise<void> {}

  health(): MediaHealth {
    return { ready: true, sessions: this.sessions.size, free: 1, detail: "carries nothing" };
  }

  forget(leg: CallId): void {
    this.forgotten.push(leg);
  }

  async open(options: MediaSessionOptions<EngineEnd>, report: (fact: MediaReport) => void): Promise<FakeEngineSession> {
    if (this.refusal !== undefined) throw this.refusal;
    const local: Partial<Record<MediaEnd, LocalTrunk>> = {};
    for (const end of mediaEnds) {
      if (options[end].kind !== "trunk") continue;
      local[end] = { address: "127.0.0.1", port: this.#nextPort, family: 4 };
      this.#nextPort += 2;
    }
    const session = new FakeEngineSession(this, options, local, report);
    this.sessions.add(session);
    this.opened.push(session);
    return session;
  }

  /** What carries all sessions dies. */
  crash(): void {
    for (const session of this.sessions) session.lose();
    this.sessions.clear();
  }
}

export class FakeEngineSession implements EngineSession {
  readonly options: MediaSessionOptions<EngineEnd>;
  readonly local: Partial<Record<MediaEnd, LocalTrunk>>;
  readonly remotes: Partial<Record<MediaEnd, RemoteEnd>> = {};
  readonly digits: { readonly to: MediaEnd; readonly digit: string }[] = [];
  candidates = 0;
  flows: Flows | undefined;
  readonly report: (fact: MediaReport) => void;
  readonly #engine: FakeMediaEngine;
  #isGone = false;
  #isConnected = false;

  constructor(
    engine: FakeMediaEngine,
    options: MediaSessionOptions<EngineEnd>,
    local: Partial<Record<MediaEnd, LocalTrunk>>,
    report: (fact: MediaReport) => void,
  ) {
    this.#engine = engine;
    this.options = options;
    this.local = local;
    this.report = report;
  }

  offered: EngineSession["offered"] = async () => {
    this.#check();
    return localClient;
  };

  accept: EngineSession["accept"] = async (end, remote) => {
    this.#check();
    this.remotes[end] = { kind: "client", ...remote };
    return { ...localClient, setup: "passive" };
  };

  prepare: EngineSession["prepare"] = () => undefined;

  /** Where the ringing tone was to be heard. */
  readonly rang: MediaEnd[] = [];
  ring: EngineSession["ring"] = async (end) => {
    this.rang.push(end);
  };

  /** Tones that were to be heard. */
  readonly prompted: Prompt[] = [];
  prompt: EngineSession["prompt"] = async (prompt) => {
    this.#check();
    this.prompted.push(prompt);
  };

  follow: EngineSession["follow"] = async ({ remotes, flows }: Following) => {
    this.#check();
    if (this.#engine.stuck) await new Promise(() => {});
    Object.assign(this.remotes, remotes);
    this.flows = flows ?? this.flows;
    const { a, b } = this.remotes;
    if (this.#isConnected || a === undefined || b === undefined) return;
    this.#isConnected = true;
    this.report({ kind: "media.connected" });
  };

  expect: EngineSession["expect"] = () => undefined;

  /** As a real one: nothing goes to an end that takes none. */
  sendDtmf: EngineSession["sendDtmf"] = (to, digit) => {
    if (/^[0-9*#A-D]$/.test(digit) && this.flows?.[to].digits !== undefined) this.digits.push({ to, digit });
  };

  addCandidates: EngineSession["addCandidates"] = (candidates) => {
    this.candidates += candidates.length;
  };

  stats: EngineSession["stats"] = async () => {
    this.#check();
    return this.#stats();
  };

  unheard: EngineSession["unheard"] = async () => {
    this.#check();
    return mediaEnds.filter((end) => this.flows?.[end].isOpen === true && !this.#engine.heard.includes(end));
  };

  handOver: EngineSession["handOver"] = async (end) => {
    delete this.remotes[end];
  };

  close: EngineSession["close"] = async () => {
    const stats = this.#isGone ? noMediaStats : this.#stats();
    this.#isGone = true;
    this.#engine.sessions.delete(this);
    return stats;
  };

  lose(): void {
    this.#isGone = true;
    this.report({ kind: "media.lost" });
  }

  #stats(): MediaStats {
    return { ...this.#engine.counted, ...codecStats(this.flows) };
  }

  #check(): void {
    if (this.#isGone) throw new MediaError("engine", "no such session");
  }
}
