// The SIP edge's door (ports/sip.ts): orders for calls in, facts of calls out. One trunk's inside is in trunk/, one
// call's in call/.
import type { SipDialogState, SipIncomingState, SipInviteState } from "../core/call/model/dialog-state.ts";
import type { ReferTarget } from "../core/call/model/order.ts";
import type { CallId, TrunkName } from "../core/ids.ts";
import type { Clock } from "../ports/clock.ts";
import { noTap, type LadderTap } from "../ports/ladders/tap.ts";
import type {
  InviteOrder,
  MessageOrder,
  MessageOutcome,
  SipSinks,
  SipTrunks,
  TrunkAnswer,
  TrunkChange,
  TrunkHealth,
  TrunkSettings,
} from "../ports/sip.ts";
import type { Log } from "../ports/telemetry.ts";
import { Calls, type TrunkRecord } from "./call/calls.ts";
import type { ReplaceOrder } from "./call/sip-call.ts";
import { Messaging } from "./messages/messaging.ts";
import { createDns, familyOf, Resolver, type Dns } from "./transport/resolver.ts";
import { DEFAULT_TIMERS, type SipTimers } from "./transport/retransmit.ts";
import { DEFAULT_KEEP_ALIVE_MS } from "./transport/sockets/connection.ts";
import { scopedClock, type ScopedClock } from "./transport/scoped-clock.ts";
import { TrunkSet } from "./trunk-set.ts";
import { Trunk } from "./trunk/trunk.ts";

export interface SipTrunksOptions {
  readonly trunks: readonly TrunkSettings[];
  readonly log: Log;
  readonly clock: Clock;
  /** Told of every message. */
  readonly tap?: Pick<LadderTap, "sip"> | undefined;
  /** RFC 3261 T1 and T2; shorter ones are for tests. They hold for the whole process. */
  readonly timers?: SipTimers;
  /** Between pings on TCP, TLS and WebSocket connections; 30 s. */
  readonly keepAliveMs?: number;
  /** The system's resolver unless given. */
  readonly dns?: Dns;
  /** How long `stop` waits for answers to BYE and CANCEL. */
  readonly stopPatienceMs?: number;
}

const stopPatienceMs = 5_000;

/** Before the start. */
const noSinks: SipSinks = {
  heard: () => {},
  invited: () => {},
  messaged: () => Promise.resolve(503),
  messageWaiting: () => {},
  mayReach: () => false,
  trunkChanged: () => {},
};

/** All trunks of the configuration behind one port. */
export function createSipTrunks(options: SipTrunksOptions): SipTrunks {
  return new Trunks(options);
}

class Trunks implements SipTrunks {
  readonly #options: SipTrunksOptions;
  readonly #set: TrunkSet;
  readonly #calls: Calls;
  /** Of the calls: nothing that one waits for outlives the trunks. */
  readonly #clock: ScopedClock;
  #sinks = noSinks;

  constructor(options: SipTrunksOptions) {
    this.#options = options;
    const { timers = DEFAULT_TIMERS, dns = createDns() } = options;
    this.#clock = scopedClock(options.clock);
    this.#calls = new Calls({
      sinks: () => this.#sinks,
      log: options.log,
      trunks: () => this.#set.live,
      clock: this.#clock,
    });
    this.#set = new TrunkSet(
      {
        make: (settings) => this.#record(settings, timers, dns),
        calls: this.#calls,
        began: ({ trunk }) => this.#sinks.trunkChanged(trunk.health),
        patienceMs: options.stopPatienceMs ?? stopPatienceMs,
        log: options.log,
      },
      options.trunks,
    );
  }

  #record(settings: TrunkSettings, timers: SipTimers, dns: Dns): TrunkRecord {
    const { clock, keepAliveMs = DEFAULT_KEEP_ALIVE_MS, tap = noTap } = this.#options;
    const log = this.#options.log.child({ trunk: settings.name });
    const trunk = new Trunk({
      settings,
      resolver: new Resolver({ dns, clock, family: familyOf(settings.local.host) }),
      clock,
      timers,
      keepAliveMs,
      tap,
      log,
      onHealth: (health) => void (this.#set.isLive(record) && this.#sinks.trunkChanged(health)),
      onInvited: (invitation) => {
        if (this.#set.isLive(record)) this.#calls.invited(record, invitation);
        else invitation.refuse(503);
      },
      onAsked: (request) => messaging.asked(request),
    });
    const messaging = new Messaging({ settings, trunk, sinks: () => this.#sinks, clock: this.#clock, log });
    const record: TrunkRecord = { trunk, messaging };
    return record;
  }

  async start(sinks: SipSinks): Promise<void> {
    this.#sinks = sinks;
    try {
      await Promise.all([...this.#set.live.values()].map(({ trunk }) => trunk.start()));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  prepare(trunks: readonly TrunkSettings[]): Promise<TrunkChange> {
    return this.#set.prepare(trunks);
  }

  invite(call: CallId, order: InviteOrder): void {
    this.#calls.invite(call, order);
  }

  cancel(call: CallId, q850?: number): void {
    this.#calls.end(call, (sipCall) => sipCall.cancel(q850));
  }

  bye(call: CallId, q850?: number): void {
    this.#calls.end(call, (sipCall) => sipCall.bye(q850));
  }

  reject(call: CallId, status: number, q850?: number, retryAfterS?: number): void {
    this.#calls.end(call, (sipCall) => sipCall.reject(status, q850, retryAfterS));
  }

  reoffer(call: CallId, sdp: string): void {
    this.#calls.order(call, (sipCall) => sipCall.reoffer(sdp));
  }

  ring(call: CallId, status: 180 | 183): void {
    this.#calls.order(call, (sipCall) => sipCall.ring(status));
  }

  accept(call: CallId, sdp: string): void {
    this.#calls.order(call, (sipCall) => sipCall.accept(sdp));
  }

  info(call: CallId, digit: string, durationMs: number): void {
    this.#calls.order(call, (sipCall) => sipCall.info(digit, durationMs));
  }

  refer(call: CallId, target: ReferTarget): void {
    this.#calls.order(call, (sipCall) => sipCall.refer(target));
  }

  replace(call: CallId, order: ReplaceOrder): void {
    this.#calls.order(call, (sipCall) => sipCall.replace(order));
  }

  refuseRefer(call: CallId, status: number): void {
    this.#calls.order(call, (sipCall) => sipCall.refuseRefer(status));
  }

  answerReoffer(call: CallId, sdp: string): void {
    this.#calls.order(call, (sipCall) => sipCall.answerReoffer(sdp));
  }

  refuseReoffer(call: CallId, status: number): void {
    this.#calls.order(call, (sipCall) => sipCall.refuseReoffer(status));
  }

  message(order: MessageOrder): Promise<MessageOutcome> {
    const record = this.#set.live.get(order.trunk);
    return record?.messaging.message(order) ?? Promise.resolve({ kind: "failed", fault: "internal" });
  }

  resume(call: CallId, dialog: SipDialogState): void {
    this.#calls.resume(call, dialog);
  }

  dismiss(call: CallId, incoming: SipIncomingState, status: number): void {
    this.#earlier(call, incoming.trunk, "could not refuse an INVITE from before the restart", (trunk, ended) =>
      trunk.dismiss(incoming, status, ended),
    );
  }

  abandon(call: CallId, invite: SipInviteState): void {
    this.#earlier(call, invite.trunk, "could not cancel an INVITE from before the restart", (trunk, ended) =>
      trunk.abandon(invite, ended),
    );
  }

  answers(trunk: TrunkName): readonly TrunkAnswer[] {
    return this.#set.live.get(trunk)?.trunk.answers ?? [];
  }

  health(): readonly TrunkHealth[] {
    return [...this.#set.live.values()].map(({ trunk }) => trunk.health);
  }

  async stop(): Promise<void> {
    const patienceMs = this.#options.stopPatienceMs ?? stopPatienceMs;
    const records = this.#set.stopped();
    for (const { trunk } of records) trunk.close();
    this.#calls.refuseWaiting();
    await Promise.all(records.map(({ trunk }) => trunk.stop(patienceMs)));
    for (const { messaging } of records) messaging.close();
    this.#clock.close();
    this.#calls.drop();
  }

  /** An INVITE of an earlier process is ended; `sip.ended` follows, whatever comes of it. */
  #earlier(call: CallId, name: TrunkName, failure: string, end: (trunk: Trunk, ended: () => void) => void): void {
    const ended = (): void => this.#calls.emit(call, { kind: "sip.ended" });
    const trunk = this.#set.live.get(name)?.trunk;
    try {
      if (trunk === undefined) ended();
      else end(trunk, ended);
    } catch (error) {
      this.#options.log.error(failure, { error });
      ended();
    }
  }
}
