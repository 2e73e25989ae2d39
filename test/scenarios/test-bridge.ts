// The bridge with doubles at its edges and a virtual clock: what a person does goes in, what everybody sees comes out.
import { InboundAdmission } from "../../src/bridge/admission/inbound-admission.ts";
import { Bot } from "../../src/bridge/rooms/bot.ts";
import { Callers } from "../../src/bridge/admission/callers.ts";
import type { Ghosts } from "../../src/bridge/rooms/ghosts.ts";
import { SteadyLedger } from "../../src/bridge/operation/steady-ledger.ts";
import { StoreWatch } from "../../src/bridge/operation/store-watch.ts";
import { RateLimit } from "../../src/bridge/limits/rate-limit.ts";
import { OutboundAdmission } from "../../src/bridge/admission/outbound-admission.ts";
import { createFirstCalls, type FirstCallsOfBridge } from "../../src/bridge/first-calls/create-first-calls.ts";
import { RingingRooms } from "../../src/bridge/rooms/ringing-rooms.ts";
import { createRooms } from "../../src/bridge/rooms/create-rooms.ts";
import { EncryptedRooms } from "../../src/bridge/rooms/encrypted-rooms.ts";
import { Switchboard } from "../../src/bridge/calls/switchboard.ts";
import { InboundMessages } from "../../src/bridge/messages/inbound-messages.ts";
import { OutboundMessages } from "../../src/bridge/messages/outbound-messages.ts";
import type { Notices } from "../../src/core/call/model/notices.ts";
import { findDid, peopleOf, roomsOf, type DidTable } from "../../src/core/number/plan/did.ts";
import type { CallerTrust } from "../../src/core/policy/caller.ts";
import type { TrunkFeatures } from "../../src/core/policy/trunk-features.ts";
import type { IdentityTemplates } from "../../src/core/policy/caller-identity.ts";
import {
  eventId,
  matrixCallId,
  partyId,
  roomId,
  trunkName,
  type CallId,
  type EventId,
  type RoomId,
  type TrunkName,
  type UserId,
} from "../../src/core/ids.ts";
import type { DialPlan } from "../../src/core/number/plan/dial-plan.ts";
import { createGhostIds } from "../../src/core/number/ghost/ghost-id.ts";
import type { Policy } from "../../src/core/policy/permission.ts";
import type { MatrixFact, PeopleRooms } from "../../src/ports/homeserver.ts";
import type { SipFact } from "../../src/core/call/model/fact.ts";
import type { LegSignal } from "../../src/core/call/model/matrix-leg.ts";
import type { InviteArrival, MessageArrival } from "../../src/ports/sip.ts";
import type { Store } from "../../src/ports/store.ts";
import { openMemoryStore } from "../fakes/memory-store.ts";
import { arrivalOf } from "../fakes/arrivals.ts";
import { FakeHomeserver, FakeMedia, FakeTelemetry, FakeTrunks } from "../fakes/ports.ts";
import { FakeContactBook, profilesOf } from "../fakes/contacts.ts";
import { VirtualClock } from "../fakes/virtual-clock.ts";
import { exampleDids, exampleFeatures, examplePlan, examplePolicy, exampleTemplates } from "./settings.ts";

export const bob = "@bob:example.org" as UserId;
/** Of +44 20 7946 0123, who calls. */
export const caller = "@_sip_+442079460123%40sip.example.org:example.org" as UserId;
/** The rooms that are made first and second. */
export const made1: RoomId = roomId("!made1:example.org");
export const made2: RoomId = roomId("!made2:example.org");

export const ann = "@ann:example.org" as UserId;
export const ghost = "@_sip_01818118181%40sip.example.org:example.org" as UserId;
export const room: RoomId = roomId("!dm:example.org");

export interface TestBridgeOptions {
  readonly store?: Store;
  readonly plan?: DialPlan;
  readonly policy?: Policy;
  readonly notices?: Notices;
  readonly identity?: IdentityTemplates;
  readonly features?: Partial<TrunkFeatures>;
  /** Whom the called numbers ring. */
  readonly dids?: DidTable;
  readonly trust?: CallerTrust;
  /** The bridge may act in people's names. */
  readonly people?: PeopleRooms;
}

export class TestBridge {
  readonly clock = new VirtualClock();
  readonly homeserver = new FakeHomeserver();
  readonly trunks = new FakeTrunks();
  readonly media = new FakeMedia();
  readonly telemetry = new FakeTelemetry();
  readonly book = new FakeContactBook();
  readonly store: Store;
  readonly switchboard: Switchboard;
  readonly inboundMessages: InboundMessages;
  readonly arrivals: InboundAdmission;
  readonly ghosts: Ghosts;
  readonly first: FirstCallsOfBridge;
  #events = 0;

  constructor(options: TestBridgeOptions = {}) {
    const database = options.store ?? openMemoryStore();
    const { clock, homeserver, telemetry } = this;
    const storeWatch = new StoreWatch({ check: () => database.check(), clock, log: telemetry.log });
    const store = storeWatch.over(database);
    this.store = store;
    const ledger = new SteadyLedger({ ledger: store.calls, watch: storeWatch, clock, log: telemetry.log });
    const plan = options.plan ?? examplePlan;
    const policy = options.policy ?? examplePolicy;
    const log = telemetry.log;
    const ids = createGhostIds({
      domain: "example.org",
      prefix: "_sip_",
      encoding: "percent",
      gateway: "sip.example.org",
      sipDomains: [],
      country: "GB",
    });
    const { ghosts, rooms, occupied, conversations } = createRooms({
      homeserver,
      ids,
      plan,
      store,
      profiles: profilesOf(this.book),
      calls: () => this.switchboard.calls,
      clock,
      log,
    });
    this.ghosts = ghosts;
    const first = createFirstCalls({
      ids,
      policy,
      homeserver,
      people: options.people,
      rung: peopleOf(options.dids ?? exampleDids),
      rooms,
      conversations,
      directory: store.rooms,
      settings: store.settings,
      visits: store.visits,
      clock,
      log,
    });
    const { firstCalls, greeter, callBacks } = first;
    this.first = first;
    const ringingRooms = new RingingRooms({
      homeserver,
      ghosts,
      rooms,
      conversations,
      occupied,
      firstCalls,
      policy,
      clock,
      log,
    });
    const trust = (): CallerTrust => options.trust ?? { identity: "asserted", displayName: true };
    const callers = new Callers({ ids, plan, trust });
    const notices = options.notices ?? { failures: true, history: false };
    const dids = options.dids ?? exampleDids;
    const common = {
      ids,
      plan,
      policy,
      homeserver,
      ghosts,
      rooms,
      conversations,
      ringingRooms,
      callers,
      notices,
      callRateLimit: new RateLimit(policy.callsPerMinute, clock),
      clock,
      log,
      trust,
      sip: this.trunks,
      isOurs: (user: UserId) => user === homeserver.bot || ghosts.isGhost(user),
      directory: store.rooms,
      identities: () => options.identity ?? exampleTemplates,
      features: () => ({ ...exampleFeatures, ...options.features }),
      recipients: (called: string, name: TrunkName) => findDid(called, name, dids, plan.country),
    };
    this.inboundMessages = new InboundMessages({
      ...common,
      telemetry,
      legOf: (call) => this.switchboard.addressOf(call),
    });
    this.switchboard = new Switchboard({
      ledger: store.calls,
      storeWatch,
      ghosts,
      rooms,
      encryptedRooms: new EncryptedRooms({ homeserver, rooms, occupied, ringingRooms: roomsOf(dids), clock, log }),
      conversations,
      greeter,
      callBacks,
      bot: new Bot({
        user: homeserver.bot,
        ringingRooms: roomsOf(dids),
        ids,
        rooms,
        conversations,
        homeserver,
        plan,
        policy,
        log,
      }),
      messages: new OutboundMessages({ ...common, telemetry }),
      admission: new OutboundAdmission(common),
      orders: {
        homeserver,
        media: this.media,
        sip: this.trunks,
        ice: { homeserver, ghosts, configured: [], askHomeserver: true },
        trunkMedia: (name) => ({ srtp: "off", codecs: [`codec of ${name}`], rtpNetworks: [] }),
        ringingRooms,
        firstCalls,
        conversations,
        sameNumber: (one, other) => callers.sameNumber(one, other),
      },
      transfers: common,
      runner: { ledger, clock, telemetry },
      botUser: homeserver.bot,
    });
    this.arrivals = new InboundAdmission({ ...common, calls: this.switchboard });
  }

  origin(
    sender: UserId = ann,
    where: RoomId = room,
  ): Pick<MatrixFact, "eventId" | "room" | "sender" | "ageMs" | "receivedAtMs"> {
    this.#events += 1;
    const id: EventId = eventId(`$event${this.#events}`);
    return { eventId: id, room: where, sender, ageMs: 20, receivedAtMs: this.clock.nowMs() };
  }

  callOf(sender: UserId = ann, matrixCall = "call1", party = "PHONE") {
    return {
      ...this.origin(sender),
      matrixCallId: matrixCallId(matrixCall),
      party: partyId(party),
      version: "1" as const,
    };
  }

  inviteFact(
    changes: Partial<Extract<MatrixFact, { kind: "call.invited" }>> = {},
  ): Extract<MatrixFact, { kind: "call.invited" }> {
    return {
      ...this.callOf(),
      kind: "call.invited",
      sdp: "client offer",
      lifetimeMs: 60_000,
      invitee: undefined,
      abilities: { transferee: false, dtmf: false },
      ...changes,
    };
  }

  async take(...facts: readonly MatrixFact[]): Promise<void> {
    for (const fact of facts) await this.switchboard.takeMatrix(fact);
    await this.quiet();
  }

  /** Ann opens a room with the number. */
  async enterRoom(where: RoomId = room, whose: UserId = ghost): Promise<void> {
    await this.take({
      ...this.origin(ann, where),
      kind: "member.invited",
      user: whose,
      direct: true,
      encrypted: false,
      public: false,
    });
  }

  /** Ann calls, in a room in which the ghost is already. */
  async ring(): Promise<CallId> {
    await this.enterRoom();
    await this.take(this.inviteFact());
    return this.call();
  }

  /** A telephone calls; Ann's number unless the changes say otherwise. */
  async arrive(changes: Partial<InviteArrival> = {}): Promise<CallId> {
    const arrival = arrivalOf(changes);
    this.arrivals.invited(arrival);
    await this.quiet();
    return arrival.call;
  }

  /** A telephone writes: the final status for its MESSAGE. */
  messaged(arrival: MessageArrival): Promise<number> {
    return this.inboundMessages.take(arrival);
  }

  /** What a client sends about the call that rings in a room, from one of its person's devices. */
  ringing(where: RoomId, person: UserId = ann, party = "PHONE") {
    const invite = this.homeserver.told.find(({ leg, signal }) => leg.room === where && signal.kind === "invite");
    if (invite === undefined) throw new Error(`nothing rings in ${where}`);
    const { matrixCallId: matrixCall } = invite.leg;
    return { ...this.origin(person, where), matrixCallId: matrixCall, party: partyId(party), version: "1" as const };
  }

  answer(where: RoomId, person: UserId = ann, party = "PHONE"): Extract<MatrixFact, { kind: "call.answered" }> {
    const abilities = { transferee: false, dtmf: false };
    return { ...this.ringing(where, person, party), kind: "call.answered", sdp: `${party} answers`, abilities };
  }

  /** Somebody dials the number: its ghost is prepared. */
  async lookedUp(whose: UserId): Promise<void> {
    this.ghosts.prepare(whose);
    await this.quiet();
  }

  /** What was said in a room, in order. */
  in(where: RoomId): readonly string[] {
    return this.homeserver.told.filter(({ leg }) => leg.room === where).map(({ signal }) => nameOf(signal));
  }

  call(): CallId {
    const [call] = this.switchboard.calls;
    if (call === undefined) throw new Error("there is no call");
    return call.id;
  }

  async sip(fact: SipFact, call: CallId = this.call()): Promise<void> {
    this.switchboard.takeSip(call, fact);
    await this.quiet();
  }

  async passTime(byMs: number): Promise<void> {
    this.clock.advance(byMs);
    await this.quiet();
  }

  /** Until nothing more happens by itself: the doubles answer within a turn of the event loop. */
  async quiet(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  get signals(): readonly string[] {
    return this.homeserver.told.map(({ signal }) => nameOf(signal));
  }

  get words(): readonly string[] {
    return this.homeserver.notices.map(({ text }) => text);
  }
}

function nameOf(signal: LegSignal): string {
  if (signal.kind === "select") return `select ${signal.party}`;
  return signal.kind === "reject" || signal.kind === "hangup" ? `${signal.kind} ${signal.reason}` : signal.kind;
}

export const trunk = trunkName("main");
