// The stack under test behind its port, with the facts of each call kept in order for tests to wait on.
import { randomBytes } from "node:crypto";
import type { SipFact } from "../../../src/core/call/model/fact.ts";
import { callId, trunkName, type CallId } from "../../../src/core/ids.ts";
import type { CallerIdentity } from "../../../src/core/policy/caller-identity.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type {
  InviteArrival,
  MessageArrival,
  MessageWaiting,
  SipSinks,
  SipTrunks,
  TrunkHealth,
  TrunkSettings,
} from "../../../src/ports/sip.ts";
import type { Log, LogFields, LogLevel } from "../../../src/ports/telemetry.ts";
import { scan } from "../../setup/scanner.ts";
import { createSipTrunks, type SipTrunksOptions } from "../../../src/sip/trunks.ts";
import { sipUri } from "../../core/address/sip-uri.ts";

export const TRUNK = trunkName("trunk");

const realClock: Clock = {
  nowMs: () => Date.now(),
  wallMs: () => Date.now(),
  at(atMs, then) {
    const timer = setTimeout(then, Math.max(0, atMs - Date.now()));
    return () => clearTimeout(timer);
  },
  newId: () => randomBytes(12).toString("hex"),
};

const [hasteBy, beatMs, longestBeatMs] = [50, 5, 20];

/**
 * Fifty times as fast as the real one, for waits of seconds. It stands still while the process does: on a busy machine an
 * answer would else come too late that is there already.
 */
export function hastyClock(): Clock {
  let [nowMs, beatAtMs] = [Date.now(), performance.now()];
  const due = new Set<() => void>();
  setInterval(() => {
    const passedMs = Math.min(performance.now() - beatAtMs, longestBeatMs);
    beatAtMs = performance.now();
    nowMs += passedMs * hasteBy;
    for (const look of due) look();
  }, beatMs).unref();
  return {
    ...realClock,
    nowMs: () => nowMs,
    at(atMs, then) {
      const look = (): void => {
        if (nowMs < atMs) return;
        due.delete(look);
        then();
      };
      due.add(look);
      return () => void due.delete(look);
    },
  };
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: unknown;
}

function memoryLog(lines: LogLine[]): Log {
  const write =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      scan(level, message, fields);
      lines.push({ level, message, fields });
    };
  const log: Log = {
    trace: write("trace"),
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: (fields) => {
      scan("info", "fields of a log", fields);
      return log;
    },
  };
  return log;
}

export function trunkSettings(port: number, more: Partial<TrunkSettings> = {}): TrunkSettings {
  return {
    name: TRUNK,
    transport: "udp",
    server: { host: "127.0.0.1", port, path: "/" },
    local: { host: "127.0.0.1", port: 0, advertised: undefined },
    tls: { ca: undefined, certificate: undefined, key: undefined, serverName: undefined },
    credentials: undefined,
    peers: [],
    optionsIntervalMs: 0,
    userAgent: "bridge-test",
    moreServers: [],
    registration: undefined,
    challenge: undefined,
    inbound: { calledFrom: "request-uri", reliableProvisionals: "supported" },
    sessionTimer: undefined,
    takesRefer: true,
    inDialog: "contact",
    media: { srtp: "off", codecs: ["PCMA", "PCMU"] },
    followsRefer: true,
    ...more,
  };
}

export const OFFER =
  "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
export const ANSWER = OFFER.replace("4000", "5000");

export const IDENTITY: CallerIdentity = {
  from: { user: "+4930123", host: undefined, displayName: undefined },
  asserted: [],
  preferred: undefined,
  privacy: [],
};

export type StackOptions = Partial<SipTrunksOptions & SipSinks>;

export class Stack {
  readonly trunks: SipTrunks;
  readonly facts = new Map<CallId, SipFact[]>();
  readonly healths: TrunkHealth[] = [];
  readonly log: LogLine[] = [];
  /** What trunks began, in order. */
  readonly arrivals: InviteArrival[] = [];
  readonly messages: MessageArrival[] = [];
  readonly messageWaiting: MessageWaiting[] = [];
  /** The status that every INVITE is refused with; undefined leaves them to the test. */
  refuseWith: number | undefined;
  /** What becomes of a MESSAGE. */
  messageStatus = 202;
  #arrivalsTaken = 0;
  readonly #taken = new Map<CallId, number>();
  #wakers: (() => void)[] = [];
  #calls = 0;

  constructor(settings: readonly TrunkSettings[], more: StackOptions = {}) {
    this.trunks = createSipTrunks({
      trunks: settings,
      clock: realClock,
      log: memoryLog(this.log),
      stopPatienceMs: 200,
      ...more,
    });
  }

  static async start(settings: TrunkSettings | TrunkSettings[], more: StackOptions = {}): Promise<Stack> {
    const stack = new Stack([settings].flat(), more);
    await stack.trunks.start({ ...stack.#sinks(), ...more });
    return stack;
  }

  #sinks(): SipSinks {
    return {
      mayReach: () => true,
      heard: (call, fact) => {
        const facts = this.facts.get(call) ?? [];
        facts.push(fact);
        this.facts.set(call, facts);
        this.#wake();
      },
      invited: (arrival) => {
        this.arrivals.push(arrival);
        if (this.refuseWith !== undefined) this.trunks.reject(arrival.call, this.refuseWith);
        this.#wake();
      },
      messaged: (arrival) => {
        this.messages.push(arrival);
        this.#wake();
        return Promise.resolve(this.messageStatus);
      },
      messageWaiting: (news) => {
        this.messageWaiting.push(news);
        this.#wake();
      },
      trunkChanged: (health) => {
        this.healths.push(health);
        this.#wake();
      },
    };
  }

  invite(more: { target?: string; identity?: CallerIdentity; sdp?: string; trunk?: typeof TRUNK } = {}): CallId {
    this.#calls += 1;
    const call = callId(`c-${this.#calls}`);
    const { target = "sip:+4940555@gateway.example", ...others } = more;
    this.trunks.invite(call, { trunk: TRUNK, identity: IDENTITY, sdp: OFFER, ...others, target: sipUri(target) });
    return call;
  }

  /** The next fact of one of those kinds that has not been waited for yet; earlier ones are passed over. */
  async fact<K extends SipFact["kind"]>(call: CallId, ...kinds: K[]): Promise<Extract<SipFact, { kind: K }>> {
    for (;;) {
      const facts = this.facts.get(call) ?? [];
      for (let at = this.#taken.get(call) ?? 0; at < facts.length; at++) {
        const fact = facts[at] as SipFact;
        if (!(kinds as string[]).includes(fact.kind)) continue;
        this.#taken.set(call, at + 1);
        return fact as Extract<SipFact, { kind: K }>;
      }
      await this.#change();
    }
  }

  /** The next INVITE that came in and has not been waited for yet. */
  async arrival(): Promise<InviteArrival> {
    for (;;) {
      const arrival = this.arrivals[this.#arrivalsTaken];
      if (arrival !== undefined) {
        this.#arrivalsTaken += 1;
        return arrival;
      }
      await this.#change();
    }
  }

  /** Once it is so, whatever has to happen for it. */
  async until(so: () => boolean): Promise<void> {
    while (!so()) await this.#change();
  }

  /** The kinds of all facts of a call, but for the book-keeping ones. */
  kinds(call: CallId): string[] {
    return (this.facts.get(call) ?? [])
      .map(({ kind }) => kind)
      .filter((kind) => kind !== "sip.sent" && kind !== "sip.dialogChanged");
  }

  async health(accepts: (health: TrunkHealth) => boolean): Promise<TrunkHealth> {
    for (;;) {
      const found = this.healths.find(accepts);
      if (found !== undefined) return found;
      await this.#change();
    }
  }

  stop(): Promise<void> {
    return this.trunks.stop();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wakers.push(resolve));
  }

  #wake(): void {
    const wakers = this.#wakers;
    this.#wakers = [];
    for (const wake of wakers) wake();
  }
}
