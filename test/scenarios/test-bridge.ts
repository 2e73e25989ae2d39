// The bridge with doubles at its edges and a virtual clock: what a person does goes in, what everybody sees comes out.
import { openDoor, type Bridge } from "../../src/bridge/bridge.ts";
import type { BridgeSettings } from "../../src/bridge/setup.ts";
import { wire, type Wired } from "../../src/bridge/wiring.ts";
import type { SipFact } from "../../src/core/call/model/fact.ts";
import type { LegAddress, LegSignal } from "../../src/core/call/model/matrix-leg.ts";
import type { Notices } from "../../src/core/call/model/notices.ts";
import {
  eventId,
  matrixCallId,
  deviceId,
  roomId,
  trunkName,
  type CallId,
  type EventId,
  type RoomId,
  type TrunkName,
  type UserId,
} from "../../src/core/ids.ts";
import { mediaEnds } from "../../src/core/media-end.ts";
import { legacyClient } from "../../src/matrix/legs/legacy-form.ts";
import type { DialPlan } from "../../src/core/number/plan/dial-plan.ts";
import type { DidTable } from "../../src/core/number/plan/did.ts";
import type { CallerTrust } from "../../src/core/policy/caller.ts";
import type { IdentityTemplates } from "../../src/core/policy/caller-identity.ts";
import type { Policy } from "../../src/core/policy/permission.ts";
import type { SpendingPolicy } from "../../src/core/policy/spending/spending-policy.ts";
import type { TrunkFeatures } from "../../src/core/policy/trunk-features.ts";
import type { AdminDoor } from "../../src/ports/admin/admin-door.ts";
import type { MatrixFact, PeopleRooms } from "../../src/ports/homeserver.ts";
import { legacyEvents } from "../../src/matrix/legs/legacy-events.ts";
import type { CallMedia } from "../../src/ports/media.ts";
import type { InviteArrival, MessageArrival, SipSinks } from "../../src/ports/sip.ts";
import type { Store } from "../../src/ports/store.ts";
import { dialog } from "../core/call/examples/examples.ts";
import { arrivalOf } from "../fakes/arrivals.ts";
import { FakeContactBook, profilesOf } from "../fakes/contacts.ts";
import { clientAnswers, clientOffers, telephoneSays } from "../fakes/descriptions.ts";
import { FakeHomeserver, FakeMatrix } from "../fakes/homeserver.ts";
import { NotedMedia } from "../fakes/media.ts";
import { openMemoryStore } from "../fakes/memory-store.ts";
import { FakeTelemetry } from "../fakes/telemetry.ts";
import { FakeTrunks } from "../fakes/trunks.ts";
import { VirtualClock } from "../fakes/virtual-clock.ts";
import {
  exampleDids,
  exampleFeatures,
  examplePlan,
  examplePolicy,
  exampleSpending,
  exampleTemplates,
} from "./settings.ts";

export const bob = "@bob:example.org" as UserId;
/** Of +44 20 7946 0123, who calls. */
export const caller = "@_sip_+442079460123%40sip.example.org:example.org" as UserId;
/** The rooms that are made first and second. */
export const made1: RoomId = roomId("!made1:example.org");
export const made2: RoomId = roomId("!made2:example.org");

export const ann = "@ann:example.org" as UserId;
export const ghost = "@_sip_01818118181%40sip.example.org:example.org" as UserId;
export const room: RoomId = roomId("!dm:example.org");

/** The telephone answers. */
export const accepted = { kind: "sip.accepted", description: telephoneSays("trunk answer"), dialog } as const;

export interface TestBridgeOptions {
  readonly store?: Store;
  /** In place of `TestBridge.media`. */
  readonly media?: CallMedia;
  readonly plan?: DialPlan;
  readonly policy?: Policy;
  readonly spending?: SpendingPolicy;
  readonly notices?: Notices;
  readonly admins?: readonly UserId[];
  readonly blocking?: Partial<BridgeSettings["blocking"]>;
  readonly ringKinds?: string;
  readonly encryptRooms?: BridgeSettings["encryptRooms"];
  readonly identity?: IdentityTemplates;
  readonly features?: Partial<TrunkFeatures>;
  /** Whom the called numbers ring. */
  readonly dids?: DidTable;
  /** What callers of some of them have to enter. */
  readonly pins?: BridgeSettings["pins"];
  readonly trust?: CallerTrust;
  /** Those that there are; unless given, the plan's and one more. */
  readonly trunks?: readonly TrunkName[];
  /** The bridge may act in people's names. */
  readonly people?: PeopleRooms;
}

export class TestBridge {
  readonly clock = new VirtualClock();
  readonly homeserver = new FakeHomeserver();
  readonly trunks = new FakeTrunks();
  readonly media = new NotedMedia();
  readonly telemetry = new FakeTelemetry();
  readonly book = new FakeContactBook();
  /** Not started: tests act as the edges do. */
  readonly door: Bridge;
  readonly #inside: Wired;
  readonly #options: TestBridgeOptions;
  #events = 0;

  readonly matrix = new FakeMatrix(this.homeserver);

  constructor(options: TestBridgeOptions = {}) {
    this.media.engine.heard = mediaEnds;
    this.#options = options;
    const ports = {
      matrix: this.matrix,
      sip: this.trunks,
      media: options.media ?? this.media,
      store: options.store ?? openMemoryStore(),
      contacts: profilesOf(this.book),
      people: options.people,
      probeTurn: async () => [],
      telemetry: this.telemetry,
      clock: this.clock,
    };
    const settings = settingsOf(options);
    this.#inside = wire(ports, settings);
    this.door = openDoor(this.#inside, ports);
  }

  get store(): Store {
    return this.#inside.store;
  }
  get switchboard(): Wired["switchboard"] {
    return this.#inside.switchboard;
  }
  get spending(): Wired["spending"] {
    return this.#inside.spending;
  }
  get first(): Wired["first"] {
    return this.#inside.first;
  }
  get clientKinds(): Wired["clientKinds"] {
    return this.#inside.clientKinds;
  }
  get ringBacks(): Wired["ringBacks"] {
    return this.#inside.ringBacks;
  }
  get arrivals(): SipSinks {
    return this.#inside.sipSinks;
  }

  /** As a start does. */
  async loadBlocks(): Promise<void> {
    await this.#inside.blocks.load();
    await this.#inside.quiet.load();
    await this.#inside.ringTimes.load();
  }

  /** As the admin API has it. */
  get adminDoor(): AdminDoor {
    return { ...this.door, reload: () => Promise.reject(new Error("there is no file")) };
  }

  /** Another configuration is read. */
  reload(changes: TestBridgeOptions): Promise<void> {
    return this.door.apply(settingsOf({ ...this.#options, ...changes }));
  }

  /** The bridge is being stopped. */
  stop(patienceMs: number): Promise<void> {
    return this.#inside.endCalls(patienceMs);
  }

  origin(
    sender: UserId = ann,
    where: RoomId = room,
  ): Pick<MatrixFact, "eventId" | "room" | "sender" | "ageMs" | "receivedAtMs"> {
    this.#events += 1;
    const id: EventId = eventId(`$event${this.#events}`);
    return { eventId: id, room: where, sender, ageMs: 20, receivedAtMs: this.clock.nowMs() };
  }

  callOf(sender: UserId = ann, matrixCall = "call1", device = "PHONE") {
    return {
      ...this.origin(sender),
      matrixCallId: matrixCallId(matrixCall),
      device: deviceId(device),
    };
  }

  inviteFact(
    changes: Partial<Extract<MatrixFact, { kind: "call.invited" }>> = {},
  ): Extract<MatrixFact, { kind: "call.invited" }> {
    return {
      ...this.callOf(),
      kind: "call.invited",
      video: false,
      description: clientOffers("client offer"),
      lifetimeMs: 60_000,
      invitee: undefined,
      ...legacyClient("1"),
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
    return this.arrivals.messaged(arrival);
  }

  /** What a client sends about the call that rings in a room, from one of its person's devices. */
  ringing(where: RoomId, person: UserId = ann, device = "PHONE") {
    const invite = this.homeserver.told.find(({ leg, signal }) => leg.room === where && signal.kind === "invite");
    if (invite === undefined) throw new Error(`nothing rings in ${where}`);
    const { matrixCallId: matrixCall } = invite.leg;
    return { ...this.origin(person, where), matrixCallId: matrixCall, device: deviceId(device) };
  }

  answer(where: RoomId, person: UserId = ann, device = "PHONE"): Extract<MatrixFact, { kind: "call.answered" }> {
    return {
      ...this.ringing(where, person, device),
      kind: "call.answered",
      description: clientAnswers(`${device} answers`),
      ...legacyClient("1"),
    };
  }

  /** Somebody dials the number: its ghost is prepared. */
  async lookedUp(whose: UserId): Promise<void> {
    const found = this.#inside.ghosts.read(whose);
    if (found === undefined) throw new Error(`${whose} is no ghost`);
    this.#inside.ghosts.prepare(found);
    await this.quiet();
  }

  /** What was said in a room, in order. */
  in(where: RoomId): readonly string[] {
    return this.homeserver.told.filter(({ leg }) => leg.room === where).map(({ leg, signal }) => nameOf(leg, signal));
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
    return this.homeserver.told.map(({ leg, signal }) => nameOf(leg, signal));
  }

  get words(): readonly string[] {
    return this.homeserver.notices.map(({ text }) => text);
  }
}

function settingsOf(options: TestBridgeOptions): BridgeSettings {
  const plan = options.plan ?? examplePlan;
  return {
    botName: "Telephone",
    ghostIds: {
      domain: "example.org",
      prefix: "_sip_",
      encoding: "percent",
      gateway: "sip.example.org",
      sipDomains: [],
      country: "GB",
    },
    plan,
    policy: options.policy ?? examplePolicy,
    spending: options.spending ?? exampleSpending,
    trunks: new Map(
      (options.trunks ?? [...plan.trunks.map(({ name }) => name), trunkName("spare")]).map((name) => [
        name,
        {
          identity: options.identity ?? exampleTemplates,
          features: { ...exampleFeatures, ...options.features },
          trust: options.trust ?? { identity: "asserted", displayName: true },
          media: { srtp: "off", codecs: ["PCMU", "PCMA", `codec of ${name}`], rtpNetworks: [] },
        },
      ]),
    ),
    numbers: options.dids ?? exampleDids,
    pins: options.pins ?? new Map(),
    mailboxes: new Map(),
    blocking: {
      response: "decline",
      anonymous: "allow",
      spam: "allow",
      failedVerification: "allow",
      ...options.blocking,
    },
    notices: options.notices ?? { failures: true, history: false },
    ringKinds: options.ringKinds ?? "auto",
    encryptRooms: options.encryptRooms ?? "auto",
    virtualUsers: undefined,
    ice: { servers: [], askHomeserver: true },
    admins: new Set(options.admins ?? [ann]),
    consoleUrl: "https://bridge.example.org",
    adminRoom: undefined,
    keepCallsMs: 30 * 24 * 3_600_000,
  };
}

/** As the client reads it. */
function nameOf(leg: LegAddress, signal: LegSignal): string {
  if (signal.kind === "select") return `select ${signal.device}`;
  if (signal.kind !== "reject" && signal.kind !== "hangup") return signal.kind;
  const [event] = legacyEvents(leg, signal) ?? [];
  const said = event?.content["reason"];
  if (signal.kind === "hangup") return `hangup ${String(said)}`;
  return said === undefined ? "reject declined" : said === "user_busy" ? "reject busy" : "reject failed";
}

export const trunk = trunkName("main");
