// One trunk: its sockets, its user agent, its servers and their health. Calls are kept in trunks.ts.
import type { SipDialogState, SipIncomingState, SipInviteState } from "../core/call/dialog-state.ts";
import type { Clock } from "../ports/clock.ts";
import type { TrunkHealth, TrunkSettings } from "../ports/sip.ts";
import type { Log } from "../ports/telemetry.ts";
import { Admission } from "./admission.ts";
import { challengedRequest } from "./challenged.ts";
import { watchGateway, type GatewayWatch } from "./gateway-watch.ts";
import { KeepAlive } from "./keep-alive.ts";
import type { InvitingTrunk, TrunkInvite } from "./outbound-call.ts";
import { Registration, type RegisterParts } from "./registration.ts";
import type { Invitation, InviteEvents } from "./sipjs/invitation.ts";
import type { ServerInvitation } from "./sipjs/server-invitation.ts";
import type { DialogFields, Session } from "./sipjs/session.ts";
import type { Answer } from "./sipjs/question.ts";
import type { PeerRequest } from "./sipjs/peer-request.ts";
import { UserAgent, type QuestionParts } from "./sipjs/user-agent.ts";
import { watchSilence, type SilenceOptions } from "./silence.ts";
import { TargetPool } from "./target-pool.ts";
import { healthWith } from "./trunk-health.ts";
import { Hub } from "./transport/hub.ts";
import { addressTowards, isWildcard } from "./transport/local-address.ts";
import { portRefused } from "./transport/port-probe.ts";
import type { Resolver } from "./transport/resolver.ts";
import { transactionMs, type SipTimers } from "./transport/retransmit.ts";
import {
  bracketed,
  defaultPort,
  isReliable,
  targetKey,
  unbracketed,
  type Endpoint,
  type Target,
} from "./transport/target.ts";
import { TransportError } from "./transport/transport-error.ts";
import { DigestClient } from "./wire/digest.ts";
import { addressHeader, numberHeader, sipUri, tokensHeader } from "./wire/header-builder.ts";
import { formatUri, type SipUri } from "./wire/uri.ts";

export interface TrunkOptions {
  readonly settings: TrunkSettings;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly timers: SipTimers;
  readonly keepAliveMs: number;
  readonly log: Log;
  readonly onHealth: (health: TrunkHealth) => void;
  /** A new INVITE of the trunk, to which 100 has been sent. */
  readonly onInvited: (trunk: Trunk, invitation: ServerInvitation) => void;
  readonly onAsked: (request: PeerRequest) => void;
}

/** A trunk's server that moves may send us requests from its new address this soon. */
const REFRESH_PEERS_MS = 60_000;

export class Trunk implements InvitingTrunk {
  readonly #options: TrunkOptions;
  readonly #pool: TargetPool;
  readonly #hub: Hub;
  readonly #keepAlive: KeepAlive;
  readonly #digest: DigestClient | undefined;
  /** The server that requests outside of dialogs go to, by Call-ID, where it is not the pool's choice. */
  readonly #aims = new Map<string, Target>();
  readonly #admission: Admission;
  /** Calls of the trunk that wait for an answer. */
  readonly #waiting = new Set<symbol>();
  readonly #debts = new Set<symbol>();
  /** The gateways that calls ring at. */
  readonly #watches = new Map<GatewayWatch, Target>();
  /** The gateways that have answered OPTIONS. */
  readonly #answersOptions = new Set<string>();
  #debtsPaid: () => void = () => {};
  #stopRefreshing: () => void = () => {};
  #agent: UserAgent | undefined;
  #registration: Registration | undefined;
  #health: TrunkHealth;
  /** As the gateways alone were last heard of. */
  #gateways: TrunkHealth["state"] = "unknown";
  /** Where peers reach us, as bound. */
  #local: Endpoint = { address: "", port: 0 };

  constructor(options: TrunkOptions) {
    this.#options = options;
    const { settings, resolver, clock, timers, log } = options;
    this.#pool = new TargetPool(settings, resolver, clock);
    this.#digest = settings.credentials === undefined ? undefined : new DigestClient(settings.credentials);
    const waiting = (): number => this.#waiting.size;
    this.#admission = new Admission({ challenge: settings.challenge, clock, log, waiting });
    this.#hub = new Hub({
      settings,
      resolver,
      clock,
      timers,
      keepAliveMs: options.keepAliveMs,
      log,
      admit: (address) => this.#pool.admits(address),
      spokenTo: (address) => this.#pool.spokenTo(address),
      nextTarget: async (callId) => {
        const target = this.#aims.get(callId) ?? (await this.#pool.pick());
        if (target === undefined) throw new TransportError("resolve", `${settings.server.host}: no address`);
        return target;
      },
      onRequest: (request) => this.#agent?.receiveRequest(request),
      onResponse: (response) => this.#agent?.receiveResponse(response),
      onClosed: (connection, reason) => {
        if (!connection.ours) return;
        this.#keepAlive.connectionLost(connection.remote, reason?.message ?? "connection closed by the trunk");
        this.#registration?.connectionLost(connection.remote);
        for (const [watch, target] of this.#watches) {
          if (targetKey(target) === targetKey({ ...connection.remote, transport: connection.transport })) {
            watch.connectionLost(() => this.#reach(target));
          }
        }
      },
    });
    this.#keepAlive = new KeepAlive({
      name: settings.name,
      clock,
      intervalMs: settings.optionsIntervalMs,
      answerWithinMs: Math.min(transactionMs(timers), 10_000),
      connected: isReliable(settings.transport),
      pick: (tried) => this.#pool.pick(tried),
      all: () => this.#pool.all(),
      down: () => this.#pool.down,
      failed: (target, restMs) => this.#pool.failed(target, restMs),
      answered: (target) => this.#pool.answered(target),
      connect: async (target) => void (await this.#hub.connect(target)),
      ask: (target, done) => this.#askOptions(target, done),
      onHealth: ({ state }) => {
        const back = this.#gateways === "down" && state === "up";
        this.#gateways = state;
        this.#tellHealth();
        if (back) this.#registration?.trunkBack();
      },
      log,
    });
    this.#health = this.#keepAlive.health;
  }

  get serverHost(): string {
    return unbracketed(this.#options.settings.server.host);
  }

  /** Route values for requests outside of dialogs. */
  get serviceRoute(): readonly string[] {
    return this.#registration?.serviceRoute ?? [];
  }

  get health(): TrunkHealth {
    return healthWith(this.#keepAlive.health, this.#registration?.state, this.#health, this.#options.clock.nowMs());
  }

  /** Throws TransportError when the local address cannot be bound. A server that cannot be reached only shows in `health`. */
  async start(): Promise<void> {
    const { settings, clock, timers, log } = this.#options;
    const bound = await this.#hub.listen();
    const towards = isWildcard(bound.address) ? await this.#pool.pick().catch(() => undefined) : undefined;
    const address = isWildcard(bound.address) ? await addressTowards(towards, bound.address) : bound.address;
    this.#local = { address, port: bound.port };
    const host = settings.local.advertised?.host ?? address;
    const port = settings.local.advertised?.port ?? bound.port;
    const { transport } = settings;
    // Port 0 is a socket that nobody can call: connections are opened by us.
    const shownPort = port === 0 || port === defaultPort(transport) ? undefined : port;
    const params =
      transport === "udp" ? new Map<string, string>() : new Map([["transport", transportParam(transport)]]);
    const contact = sipUri({ user: this.#accountUser, host, port: shownPort, params });
    this.#agent = new UserAgent({
      trunk: settings.name,
      protocol: transport.toUpperCase(),
      viaHost: shownPort === undefined ? bracketed(unbracketed(host)) : `${bracketed(unbracketed(host))}:${shownPort}`,
      contact: addressHeader("Contact", { uri: contact }),
      userAgent: settings.userAgent,
      localAddress: { host: address, port: bound.port },
      transactionMs: transactionMs(timers),
      clock,
      log,
      send: (text) => this.#hub.send(text),
      recall: (branch) => this.#hub.recall(branch),
      stopAsking: (branch) => this.#hub.stopAsking(branch),
      newChallenged: () => (this.#digest === undefined ? undefined : challengedRequest(this.#digest)),
      reliableProvisionals: settings.inbound.reliableProvisionals,
      admission: (request) => this.#admission.refusal(request),
      invited: (invitation) => this.#options.onInvited(this, invitation),
      asked: this.#options.onAsked,
    });
    this.#refreshPeers();
    this.#registration = this.#newRegistration(contact);
    this.#keepAlive.start();
    this.#registration?.start();
  }

  async pickTarget(tried: ReadonlySet<string>): Promise<Target | undefined> {
    if (this.#agent === undefined) throw new TransportError("closed", "trunk is not started");
    return this.#pool.pick(tried);
  }

  targetFailed(target: Target, reason: string, restMs?: number): void {
    this.#pool.failed(target, restMs);
    this.#keepAlive.callFailed(reason);
  }

  targetAnswered(target: Target): void {
    this.#pool.answered(target);
    this.#keepAlive.answered("INVITE answered");
  }

  invite(target: Target, parts: TrunkInvite, events: InviteEvents, again?: Invitation): Invitation {
    const callId = again?.request.callId ?? this.#options.clock.newId();
    const row = again && { fromTag: again.request.fromTag, cseq: again.request.cseq + 1 };
    this.#aims.set(callId, target);
    const done = (): void => void this.#aims.delete(callId);
    return this.#started().invite(
      { ...parts, ...row, sipCallId: callId, routes: this.serviceRoute },
      {
        ...events,
        accepted: (response, session) => {
          done();
          events.accepted(response, session);
        },
        refused: (response) => {
          done();
          events.refused(response);
        },
        failed: (fault, message) => {
          done();
          events.failed(fault, message);
        },
      },
    );
  }

  watchSilence(target: Target, tried: ReadonlySet<string>, silent: SilenceOptions["silent"]): () => void {
    const { clock, timers } = this.#options;
    const { t1Ms } = timers;
    return watchSilence({
      clock,
      t1Ms,
      refused: async () => target.transport === "udp" && portRefused(target, this.#local.address, t1Ms),
      another: async () => (await this.#pool.pick(tried)) !== undefined,
      silent,
    });
  }

  watchGateway(target: Target, tried: ReadonlySet<string>, gone: (message: string) => void): GatewayWatch {
    const { clock, timers } = this.#options;
    const watch = watchGateway({
      clock,
      everyMs: 10 * timers.t1Ms,
      another: async () => (await this.#pool.pick(tried)) !== undefined,
      refused: async () => target.transport === "udp" && portRefused(target, this.#local.address, timers.t1Ms),
      ask: (answered) => this.#askOptions(target, ({ kind }) => void (kind === "response" && answered())),
      answersOptions: () => this.#answersOptions.has(targetKey(target)),
      gone,
    });
    this.#watches.set(watch, target);
    return {
      ...watch,
      end: () => {
        this.#watches.delete(watch);
        watch.end();
      },
    };
  }

  async gatewayOf(uri: SipUri, domain: string): Promise<Target | undefined> {
    const named = await this.#pool.named(uri).catch(() => undefined);
    if (named !== undefined) return named;
    const ours = [domain, this.#options.settings.registration?.domain].includes(uri.host);
    return ours && uri.port === undefined ? this.#pool.pick() : undefined;
  }

  hangUp(session: Session): void {
    session.bye(undefined, this.owe());
  }

  restore(dialog: SipDialogState): Session {
    const local = this.#local;
    if (dialog.localAddress.host !== local.address || dialog.localAddress.port !== local.port) {
      this.#options.log.warn("dialog of an earlier process was made from another address: the trunk cannot end it", {
        before: dialog.localAddress,
        now: { host: local.address, port: local.port },
      });
    }
    // Requests that the earlier process sent after the state was saved must stay below ours (RFC 3261 s12.2.1.1).
    return this.#started().restore({ ...dialog, localCSeq: dialog.localCSeq + 100 });
  }

  abandon(invite: SipInviteState, settled: () => void): void {
    const paid = this.owe();
    this.#started().abandon(invite, () => {
      paid();
      settled();
    });
  }

  /** Refuses an INVITE to an earlier process. */
  dismiss(incoming: SipIncomingState, status: number, settled: () => void): void {
    const paid = this.owe();
    this.#started().dismiss(incoming, status, () => {
      paid();
      settled();
    });
  }

  stateOf(fields: DialogFields): SipDialogState {
    const { address, port } = this.#local;
    return {
      ...fields,
      trunk: this.#options.settings.name,
      localAddress: { host: address, port },
    };
  }

  /** As MessagingTrunk has it. */
  askAt(target: Target, parts: QuestionParts, done: (answer: Answer) => void): void {
    this.#aims.set(parts.sipCallId, target);
    this.#started().ask({ ...parts, routes: this.serviceRoute }, (answer) => {
      this.#aims.delete(parts.sipCallId);
      done(answer);
    });
  }

  newId(): string {
    return this.#options.clock.newId();
  }

  /** A call of the trunk waits for its answer until the returned function is called. */
  waits(): () => void {
    const call = Symbol("call");
    this.#waiting.add(call);
    return () => void this.#waiting.delete(call);
  }

  /** What it is to be asked and told. */
  get settings(): TrunkSettings {
    return this.#options.settings;
  }

  /** No call of the trunk is taken any more. */
  close(): void {
    this.#admission.close();
  }

  /** Something is owed to the peer until the returned function is called. */
  owe(): () => void {
    const debt = Symbol("debt");
    this.#debts.add(debt);
    return () => {
      this.#debts.delete(debt);
      if (this.#debts.size === 0) this.#debtsPaid();
    };
  }

  async stop(patienceMs: number): Promise<void> {
    this.#stopRefreshing();
    this.#keepAlive.stop();
    const unregistered = this.#registration?.stop(patienceMs);
    const { clock } = this.#options;
    if (this.#debts.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = clock.at(clock.nowMs() + patienceMs, resolve);
        this.#debtsPaid = () => {
          cancel();
          resolve();
        };
      });
    }
    await unregistered;
    this.#agent?.close();
    await this.#hub.close();
  }

  /** Requests are taken from the servers' addresses, which are known once their names are resolved. */
  #refreshPeers(): void {
    const { clock, log, settings, resolver } = this.#options;
    this.#pool.all().catch((error: unknown) => log.warn("servers of the trunk not resolved", { error }));
    // Behind an outbound proxy the registrar may call us itself. Its name may also be one that means nothing to the DNS.
    const domain = settings.registration?.domain;
    if (domain !== undefined) {
      const registrars = resolver.resolve({ host: domain, port: undefined }, settings.transport);
      registrars.then((targets) => targets.forEach(({ address }) => this.#pool.spokenTo(address))).catch(() => {});
    }
    this.#stopRefreshing = clock.at(clock.nowMs() + REFRESH_PEERS_MS, () => this.#refreshPeers());
  }

  /** The user of our Contact, and of the address-of-record. */
  get #accountUser(): string {
    const { registration, credentials, name } = this.#options.settings;
    return registration?.user ?? credentials?.username ?? name;
  }

  #newRegistration(contact: SipUri): Registration | undefined {
    const { settings, clock, timers, log } = this.#options;
    if (settings.registration === undefined) return undefined;
    return new Registration({
      expiresMs: settings.registration.expiresMs,
      contact,
      answerWithinMs: Math.min(transactionMs(timers), 10_000),
      clock,
      log,
      pick: (tried) => this.#pool.pick(tried),
      failed: (target, restMs) => this.#pool.failed(target, restMs),
      answered: (target) => this.#pool.answered(target),
      ask: (target, parts, done) => this.#askRegister(target, parts, done),
      onChange: () => {
        if (this.#registration?.state.registered === true) this.#keepAlive.answered("REGISTER answered");
        this.#tellHealth();
      },
    });
  }

  #askRegister(target: Target, parts: RegisterParts, done: (answer: Answer, cseq: number) => void): void {
    const { sipCallId, cseq, expiresSeconds } = parts;
    const host = this.#options.settings.registration?.domain ?? this.serverHost;
    const record = formatUri(sipUri({ user: this.#accountUser, host }));
    this.#aims.set(sipCallId, target);
    const uris = { uri: formatUri(sipUri({ host })), from: record, to: record };
    // RFC 3327 s5: proxies on the way may put themselves into the way back.
    const headers = [numberHeader("Expires", expiresSeconds), tokensHeader("Supported", ["path"])];
    this.#started().ask({ method: "REGISTER", ...uris, sipCallId, cseq, headers }, done);
  }

  #tellHealth(): void {
    const { health } = this;
    const { state, detail, registered } = this.#health;
    this.#health = health;
    if (health.state !== state || health.detail !== detail || health.registered !== registered) {
      this.#options.onHealth(health);
    }
  }

  #started(): UserAgent {
    if (this.#agent === undefined) throw new TransportError("closed", "trunk is not started");
    return this.#agent;
  }

  /** Rejects where a gateway whose connection was lost has no way to answer a call that it had. */
  async #reach(target: Target): Promise<void> {
    const { tls } = this.#options.settings;
    const { transport } = target;
    // RFC 3261 s18.2.2: over TCP it opens a connection to us. To a WebSocket client nobody can, nor where TLS is not listened for.
    const listening =
      transport === "tcp" || (transport === "tls" && tls.certificate !== undefined && tls.key !== undefined);
    if (!listening) throw new TransportError("closed", "its answer has no way back");
    await this.#hub.connect(target);
  }

  #askOptions(target: Target, done: (answer: Answer) => void): void {
    const callId = this.#options.clock.newId();
    this.#aims.set(callId, target);
    const server = sipUri({ host: this.serverHost, port: this.#options.settings.server.port });
    const user = this.#options.settings.credentials?.username ?? this.#options.settings.name;
    const from = sipUri({ user, host: this.serverHost });
    const parts = { method: "OPTIONS", uri: formatUri(server), from: formatUri(from), sipCallId: callId };
    this.#started().ask({ ...parts, headers: ["Accept: application/sdp"] }, (answer) => {
      this.#aims.delete(callId);
      if (answer.kind === "response") this.#answersOptions.add(targetKey(target));
      done(answer);
    });
  }
}

/** RFC 3261 s19.1.1, RFC 7118 s5.2: `ws` stands for both kinds of WebSocket. */
function transportParam(transport: TrunkSettings["transport"]): string {
  return transport === "wss" ? "ws" : transport;
}
