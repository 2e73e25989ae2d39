// One trunk: its sockets, its user agent, its servers and their health. Calls are kept in trunks.ts.
import { isDeepStrictEqual } from "node:util";
import type { SipDialogState, SipIncomingState, SipInviteState } from "../../core/call/model/dialog-state.ts";
import type { TrunkAnswer, TrunkHealth, TrunkSettings } from "../../ports/sip.ts";
import { Admission } from "./admission.ts";
import { sayBye } from "./bye.ts";
import { TrunkPassword } from "./digest-client-session.ts";
import { Pending } from "./pending.ts";
import { OptionsPing } from "./options-ping.ts";
import { Registration, type RegisterParts } from "./registration.ts";
import { GatewayLiveness, type GatewayWatch } from "./gateway-liveness.ts";
import type { Invitation, InviteEvent } from "../user-agent/invitation.ts";
import type { ServerInvitation } from "../user-agent/server-invitation.ts";
import type { DialogFields } from "../user-agent/dialog.ts";
import type { Session } from "../user-agent/session.ts";
import type { FinalResponse, PeerRequest } from "../user-agent/peer-request.ts";
import { UserAgent, type InviteParts, type OutOfDialogParts } from "../user-agent/user-agent.ts";
import { watchFirstResponse, type FirstResponseWatchOptions } from "./first-response-watch.ts";
import { GatewayPool } from "./gateway-pool.ts";
import { healthWith } from "./trunk-health.ts";
import { contactsOf, contactUri, optionsRequest, registerRequest } from "./trunk-requests.ts";
import { Alarm } from "../transport/alarm.ts";
import { Hub, type HubOptions } from "../transport/hub.ts";
import { addressTowards, isWildcard } from "../transport/sockets/local-address.ts";
import { portRefused } from "../transport/sockets/port-probe.ts";
import { transactionMs } from "../transport/retransmit.ts";
import { isReliable, unbracketed, type Endpoint, type Target } from "../transport/sockets/target.ts";
import { TransportError } from "../transport/sockets/transport-error.ts";
import type { SipUri } from "../../core/address/uri.ts";

export interface TrunkOptions extends Pick<
  HubOptions,
  "settings" | "resolver" | "clock" | "timers" | "keepAliveMs" | "tap" | "log"
> {
  readonly onHealth: (health: TrunkHealth) => void;
  /** A new INVITE of the trunk, to which 100 has been sent. */
  readonly onInvited: (invitation: ServerInvitation) => void;
  readonly onAsked: (request: PeerRequest) => void;
}

/** A trunk's server that moves may send us requests from its new address this soon. */
const REFRESH_PEERS_MS = 60_000;

/** What a call gives of an INVITE; the trunk adds the rest. */
type TrunkInvite = Omit<InviteParts, "sipCallId" | "fromTag" | "cseq" | "routes">;

interface Started {
  readonly agent: UserAgent;
  readonly registration: Registration | undefined;
  /** Where peers reach us, as bound. */
  readonly local: Endpoint;
}

export class Trunk {
  readonly #options: TrunkOptions;
  #settings: TrunkSettings;
  readonly #pool: GatewayPool;
  readonly #hub: Hub;
  readonly #optionsPing: OptionsPing;
  #password: TrunkPassword | undefined;
  readonly #admission: Admission;
  readonly #waiting = new Pending();
  readonly #pending = new Pending();
  readonly #liveness: GatewayLiveness;
  readonly #refresh: Alarm;
  /** Undefined: not started yet. */
  #started: Started | undefined;
  #health: TrunkHealth;

  constructor(options: TrunkOptions) {
    this.#options = options;
    const { settings, resolver, clock, timers, log } = options;
    this.#refresh = new Alarm(clock);
    this.#pool = new GatewayPool(settings, resolver, clock);
    this.#settings = settings;
    this.#password = settings.credentials && new TrunkPassword(settings.credentials, clock, log);
    this.#admission = new Admission({ challenge: settings.challenge, clock, log, waiting: () => this.#waiting.size });
    this.#hub = new Hub({
      ...options,
      tls: () => this.#settings.tls,
      admit: (address) => this.#pool.admits(address),
      ledTo: (address) => this.#pool.ledTo(address),
      nextTarget: async () => {
        const target = await this.#pool.pick();
        if (target === undefined) throw new TransportError("resolve", `${settings.server.host}: no address`);
        return target;
      },
      onRequest: (request) => this.#started?.agent.receiveRequest(request),
      onResponse: (response, isTrunks) => this.#started?.agent.receiveResponse(response, isTrunks),
      isServer: (address) => this.#pool.isServer(address),
      onClosed: (connection, reason) => {
        if (!connection.ours) return;
        this.#optionsPing.connectionLost(connection.remote, reason?.message ?? "connection closed by the trunk");
        this.#started?.registration?.connectionLost(connection.remote);
        this.#liveness.connectionLost(connection);
      },
    });
    this.#optionsPing = new OptionsPing({
      name: settings.name,
      clock,
      intervalMs: settings.optionsIntervalMs,
      answerWithinMs: Math.min(transactionMs(timers), 10_000),
      connected: isReliable(settings.transport),
      pool: this.#pool,
      failed: (target, restMs) => this.#failed(target, restMs),
      connect: async (target) => void (await this.#hub.connect(target)),
      ask: (target, done) => this.#askOptions(target, done),
      onHealth: ({ state }, before) => {
        this.#tellHealth();
        if (before.state === "down" && state === "up") this.#started?.registration?.trunkBack();
      },
      log,
    });
    this.#health = this.#optionsPing.health;
    this.#liveness = new GatewayLiveness({
      settings,
      clock,
      everyMs: 10 * timers.t1Ms,
      pool: this.#pool,
      refused: (target) => this.#portRefused(target),
      ask: (target, done) => this.#askOptions(target, done),
      connect: (target) => this.#hub.connect(target),
    });
  }

  get serverHost(): string {
    return unbracketed(this.#options.settings.server.host);
  }

  /** Route values for requests outside of dialogs. */
  get serviceRoute(): readonly string[] {
    return this.#started?.registration?.serviceRoute ?? [];
  }

  get answers(): readonly TrunkAnswer[] {
    return this.#optionsPing.answers;
  }

  get health(): TrunkHealth {
    return healthWith(
      this.#optionsPing.health,
      this.#started?.registration?.status,
      this.#health,
      this.#options.clock.nowMs(),
    );
  }

  /** Throws TransportError when the local address cannot be bound. A server that cannot be reached only shows in `health`. */
  async start(): Promise<void> {
    await this.open();
    this.#optionsPing.start();
    this.#started?.registration?.start();
  }

  /** Binds, so that requests can be sent; nothing is sent unasked. Throws TransportError. */
  async open(): Promise<void> {
    const { settings, clock, timers, log } = this.#options;
    const bound = await this.#hub.listen();
    const towards = isWildcard(bound.address) ? await this.#pool.pick().catch(() => undefined) : undefined;
    const address = isWildcard(bound.address) ? await addressTowards(towards, bound.address) : bound.address;
    const local = { address, port: bound.port };
    const { transport } = settings;
    const contact = contactUri(settings, local);
    const viaHost = contact.port === undefined ? contact.host : `${contact.host}:${contact.port}`;
    const agent = new UserAgent({
      trunk: settings.name,
      protocol: transport.toUpperCase(),
      viaHost,
      contacts: contactsOf(settings, contact),
      userAgent: settings.userAgent,
      localAddress: { host: address, port: bound.port },
      timers,
      clock,
      log,
      send: (message, target) => this.#hub.send(message, target),
      recall: (branch) => this.#hub.recall(branch),
      stopAsking: (branch) => this.#hub.stopAsking(branch),
      newDigestSession: () => this.#password?.forRequest(),
      reliableProvisionals: settings.inbound.reliableProvisionals,
      admission: (request) => this.#admission.refusal(request),
      invited: (invitation) => {
        this.#pool.dialogWith(invitation.fields);
        this.#options.onInvited(invitation);
      },
      asked: this.#options.onAsked,
    });
    this.#refreshPeers();
    const registration = this.#newRegistration(contact);
    this.#started = { agent, registration, local };
  }

  /** The next hop to try, none of `tried`; undefined when there is no other. Rejects with TransportError. */
  async pickTarget(tried: ReadonlySet<string>): Promise<Target | undefined> {
    this.#running();
    return this.#pool.pick(tried);
  }

  /** `restMs`: for how long it wants to be left alone, where it says so. */
  targetFailed(target: Target, reason: string, restMs?: number): void {
    this.#failed(target, restMs);
    // One gateway that is left is enough for the trunk to be up.
    const tell = (works: boolean): void => void (works || this.#optionsPing.callFailed(reason));
    this.#pool.works().then(tell, () => tell(false));
  }

  targetAnswered(target: Target): void {
    this.#pool.answered(target);
    this.#optionsPing.answered("INVITE answered");
  }

  /** `again`: in the name of that earlier INVITE, with its Call-ID and From tag and the next CSeq. */
  invite(target: Target, parts: TrunkInvite, tell: (event: InviteEvent) => void, again?: Invitation): Invitation {
    const callId = again?.request.callId ?? this.#options.clock.newId();
    const row = again && { fromTag: again.request.fromTag, cseq: again.request.cseq + 1 };
    return this.#running().agent.invite(
      target,
      { ...parts, ...row, sipCallId: callId, routes: this.serviceRoute },
      tell,
    );
  }

  /** Tells when that server has said nothing at all for too long; `tried` are those not to be tried next. */
  watchFirstResponse(
    target: Target,
    tried: ReadonlySet<string>,
    silent: FirstResponseWatchOptions["silent"],
  ): () => void {
    const { clock, timers } = this.#options;
    return watchFirstResponse({
      clock,
      t1Ms: timers.t1Ms,
      refused: () => this.#portRefused(target),
      another: async () => (await this.#pool.pick(tried)) !== undefined,
      silent,
    });
  }

  /** Tells when the gateway that took the call on is there no more, and another is. */
  watchGateway(target: Target, tried: ReadonlySet<string>, gone: (message: string) => void): GatewayWatch {
    return this.#liveness.watch(target, tried, gone);
  }

  /** The gateway of this trunk that a URI names, itself or by one of the trunk's names; undefined when it is another's. */
  async gatewayOf(uri: SipUri, domain: string): Promise<Target | undefined> {
    const named = await this.#pool.named(uri).catch(() => undefined);
    if (named !== undefined) return named;
    const ours = [domain, this.#options.settings.registration?.domain].includes(uri.host);
    return ours && uri.port === undefined ? this.#pool.pick() : undefined;
  }

  /** Ends a dialog that no call wants. */
  hangUp(session: Session): void {
    sayBye(session, this.#options.log, undefined, this.pend());
  }

  restore(dialog: SipDialogState): Session {
    const { agent, local } = this.#running();
    if (dialog.localAddress.host !== local.address || dialog.localAddress.port !== local.port) {
      this.#options.log.warn("a call from before the restart used another local address: the trunk cannot end it", {
        before: dialog.localAddress,
        now: { host: local.address, port: local.port },
      });
    }
    // Requests that the earlier process sent after the state was saved must stay below ours (RFC 3261 s12.2.1.1).
    return agent.restore({ ...dialog, localCSeq: dialog.localCSeq + 100 });
  }

  abandon(invite: SipInviteState, settled: () => void): void {
    this.#running().agent.abandon(invite, this.#pendUntil(settled));
  }

  /** Refuses an INVITE to an earlier process. */
  dismiss(incoming: SipIncomingState, status: number, settled: () => void): void {
    this.#running().agent.dismiss(incoming, status, this.#pendUntil(settled));
  }

  stateOf(fields: DialogFields): SipDialogState {
    const { address, port } = this.#running().local;
    return { ...fields, trunk: this.#options.settings.name, localAddress: { host: address, port } };
  }

  /** A request outside of dialogs to one server; `done` is called once. */
  askAt(target: Target, parts: OutOfDialogParts, done: (answer: FinalResponse) => void): void {
    this.#running().agent.ask(target, { ...parts, routes: this.serviceRoute }, done);
  }

  /** A call of the trunk waits for its answer until the returned function is called. */
  waits(): () => void {
    return this.#waiting.pend();
  }

  get settings(): TrunkSettings {
    return this.#settings;
  }

  /** Other ones, which `differsInPlace` allows. Calls that are up keep what they were begun with. */
  change(settings: TrunkSettings): void {
    const { clock, log } = this.#options;
    if (!isDeepStrictEqual(settings.credentials, this.#settings.credentials))
      this.#password = settings.credentials && new TrunkPassword(settings.credentials, clock, log);
    this.#settings = settings;
  }

  /** No call of the trunk is taken any more. */
  close(): void {
    this.#admission.close();
  }

  /** A goodbye is in flight until the returned function is called. */
  pend(): () => void {
    return this.#pending.pend();
  }

  #pendUntil(settled: () => void): () => void {
    const settle = this.pend();
    return () => {
      settle();
      settled();
    };
  }

  /** The trunk is to go: it takes no call and is not asked how it is any more. Calls that are up go on until `stop`. */
  async retire(patienceMs: number): Promise<void> {
    this.close();
    this.#optionsPing.stop();
    await this.#started?.registration?.stop(patienceMs);
  }

  async stop(patienceMs: number): Promise<void> {
    this.#refresh.stop();
    const unregistered = this.retire(patienceMs);
    await this.#pending.settled(this.#options.clock, patienceMs);
    await unregistered;
    this.#started?.agent.close();
    await this.#hub.close();
  }

  /** Requests are taken from the servers' addresses, which are known once their names are resolved. */
  #refreshPeers(): void {
    const { log, settings } = this.#options;
    this.#pool.all().catch((error: unknown) => log.warn("could not resolve the trunk's servers", { error }));
    const domain = settings.registration?.domain;
    if (domain !== undefined) this.#pool.alsoAt(domain);
    this.#refresh.set(REFRESH_PEERS_MS, () => this.#refreshPeers());
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
      pool: this.#pool,
      ask: (target, parts, done) => this.#askRegister(target, parts, done),
      onChange: () => {
        if (this.#started?.registration?.status.registered === true) this.#optionsPing.answered("REGISTER answered");
        this.#tellHealth();
      },
    });
  }

  #askRegister(target: Target, parts: RegisterParts, done: (answer: FinalResponse, cseq: number) => void): void {
    this.#running().agent.ask(target, registerRequest(this.#options.settings, parts), done);
  }

  #tellHealth(): void {
    const { health } = this;
    const { state, detail, registered } = this.#health;
    this.#health = health;
    if (health.state !== state || health.detail !== detail || health.registered !== registered) {
      this.#options.onHealth(health);
    }
  }

  #failed(target: Target, restMs: number | undefined): void {
    this.#pool.failed(target, restMs);
    this.#started?.registration?.gatewayFailed(target);
  }

  #running(): Started {
    if (this.#started === undefined) throw new TransportError("closed", "trunk is not started");
    return this.#started;
  }

  async #portRefused(target: Target): Promise<boolean> {
    return target.transport === "udp" && portRefused(target, this.#running().local.address, this.#options.timers.t1Ms);
  }

  #askOptions(target: Target, done: (answer: FinalResponse) => void): void {
    const callId = this.#options.clock.newId();
    this.#running().agent.ask(target, optionsRequest(this.#options.settings, target, callId), (answer) => {
      if (answer.kind === "response") this.#liveness.answered(target);
      done(answer);
    });
  }
}
