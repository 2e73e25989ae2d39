// Messages with doubles at their edges: what a person writes goes in, what telephones and the room get comes out.
import { formatUri, makeSipUri } from "../../../src/core/address/uri.ts";
import type { Screen } from "../../../src/bridge/blocking/screen.ts";
import { Callers } from "../../../src/bridge/admission/callers.ts";
import { RingingRooms } from "../../../src/bridge/rooms/ringing-rooms.ts";
import type { Rooms } from "../../../src/bridge/rooms/rooms.ts";
import { createRooms } from "../../../src/bridge/rooms/create-rooms.ts";
import { InboundMessages } from "../../../src/bridge/messages/inbound-messages.ts";
import { OutboundMessages } from "../../../src/bridge/messages/outbound-messages.ts";
import type { RemoteIdentity } from "../../../src/core/policy/remote-identity.ts";
import type { RingTarget } from "../../../src/core/number/plan/ring-stage.ts";
import { eventId, roomId, trunkName, type RoomId, type TrunkName, type UserId } from "../../../src/core/ids.ts";
import type { DidFinding } from "../../../src/core/number/plan/did.ts";
import type { DialPlan } from "../../../src/core/number/plan/dial-plan.ts";
import { createGhostIds } from "../../../src/core/number/ghost/ghost-id.ts";
import type { IdentityTemplates } from "../../../src/core/policy/caller-identity.ts";
import type { Policy } from "../../../src/core/policy/permission.ts";
import type { MatrixFact } from "../../../src/ports/homeserver.ts";
import type { MessageArrival, MessageOrder, MessageOutcome } from "../../../src/ports/sip.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { FakeHomeserver } from "../../fakes/homeserver.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { FakeContactBook, profilesOf } from "../../fakes/contacts.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";
import { numberOf } from "../../core/number/dialled.ts";

export const ann = "@ann:example.org" as UserId;
export const bob = "@bob:example.org" as UserId;
export const room = roomId("!dm:example.org");
export const main = trunkName("main");
export const spare = trunkName("spare");

export const ids = createGhostIds({
  domain: "example.org",
  prefix: "_sip_",
  encoding: "percent",
  gateway: "sip.example.org",
  sipDomains: [],
  country: "GB",
});

export function ghostOf(dialled: string): UserId {
  const ghost = ids.format(numberOf(dialled));
  if (ghost === undefined) throw new Error(`${dialled} has no ghost`);
  return ghost;
}

export const ghost = ghostOf("+441632960123");

const planTrunk = { port: undefined, format: "e164", numberPrefix: "", userPhone: false } as const;
const plan: DialPlan = {
  country: "GB",
  trunks: [
    { ...planTrunk, name: main, host: "main.example.org" },
    { ...planTrunk, name: spare, host: "spare.example.org" },
  ],
  routes: [{ prefix: "", trunks: [main, spare], strip: 0, prepend: "" }],
  emergencyTrunk: main,
  withholdPrefixes: ["#31#"],
  sipDomains: new Map(),
};

const permitted = { mayCall: true, allow: new Set<never>(), callsPerUser: undefined, maxDurationMs: undefined };
export const policy: Policy = {
  domain: "example.org",
  permissions: new Map([["*", permitted]]),
  allow: new Set(),
  callsPerUser: 2,
  callsPerMinute: 30,
  callsInAll: 10,
  maxDurationMs: 4 * 3_600_000,
};

export const templates: IdentityTemplates = {
  fromUser: "{localpart}",
  fallbackUser: undefined,
  fromHost: "example.org",
  fromDisplayName: undefined,
  asserted: [],
  preferred: undefined,
  privacy: [],
  numbers: new Map(),
  defaultNumber: undefined,
};

export const delivered: MessageOutcome = { kind: "delivered", status: 200 };
export const refused = (status: number): MessageOutcome => ({ kind: "refused", status, phrase: "" });

export interface MessagesRigOptions {
  readonly policy?: Policy;
  readonly identity?: IdentityTemplates;
  /** Trunks that take texts, and how long. */
  readonly maxLengths?: ReadonlyMap<TrunkName, number>;
  /** Whom +44 1632 960999 rings. */
  readonly targets?: readonly RingTarget[];
}

export class MessagesRig {
  readonly clock = new VirtualClock();
  readonly homeserver = new FakeHomeserver();
  readonly telemetry = new FakeTelemetry();
  readonly store = openMemoryStore();
  readonly rooms: Rooms;
  readonly outbound: OutboundMessages;
  readonly inbound: InboundMessages;
  readonly sent: MessageOrder[] = [];
  /** What becomes of the next texts, in their order; of all others it is that they are delivered. */
  readonly outcomes: (MessageOutcome | Promise<MessageOutcome>)[] = [];
  #events = 0;

  constructor(options: MessagesRigOptions = {}) {
    const { clock, homeserver, store } = this;
    const { log } = this.telemetry;
    const maxLengths = options.maxLengths ?? new Map([main, spare].map((trunk) => [trunk, 300]));
    const targets = options.targets ?? [{ kind: "person", person: ann }];
    const { ghosts, rooms, occupied, conversations } = createRooms({
      encryptRooms: () => "auto",
      homeserver,
      ids,
      plan: () => plan,
      store,
      profiles: profilesOf(new FakeContactBook()),
      calls: () => [],
      clock,
      log,
    });
    this.rooms = rooms;
    const common = {
      ids,
      plan: () => plan,
      policy: () => options.policy ?? policy,
      blocks: { bars: () => false },
      screen: { look: (_, stages) => ({ kind: "passed", stages, missedBy: [] }) } satisfies Pick<Screen, "look">,
      identities: () => options.identity ?? templates,
      features: (trunk: TrunkName) => {
        const maxLength = maxLengths.get(trunk);
        return { messages: maxLength === undefined ? undefined : { maxLength } };
      },
      recipients: (called: string): DidFinding =>
        called === "+441632960999"
          ? { kind: "found", number: called, stages: [{ targets, ringMs: 30_000 }], pin: undefined }
          : { kind: "none", number: called },
      callers: new Callers({ ids, plan: () => plan, trust: () => ({ identity: "asserted", displayName: true }) }),
      ghosts,
      rooms: this.rooms,
      conversations,
      ringingRooms: new RingingRooms({
        homeserver,
        ghosts,
        rooms: this.rooms,
        firstCalls: { roomFor: ({ own }) => own() },
        conversations,
        occupied,
        policy: () => options.policy ?? policy,
        clock,
        log,
      }),
      telemetry: this.telemetry,
      legOf: () => undefined,
      homeserver,
      sip: {
        message: async (order: MessageOrder) => {
          this.sent.push(order);
          return this.outcomes.shift() ?? delivered;
        },
      },
      directory: store.rooms,
      clock,
      log,
    };
    this.outbound = new OutboundMessages(common);
    this.inbound = new InboundMessages(common);
  }

  /** Ann and the ghost have a room to themselves. */
  async opened(where: RoomId = room, whose: UserId = ghost, person: UserId = ann): Promise<this> {
    await this.store.rooms.saveOurs(where, whose);
    this.homeserver.memberList = [
      { user: person, membership: "join" },
      { user: whose, membership: "join" },
    ];
    return this;
  }

  message(
    body: string,
    changes: Partial<Extract<MatrixFact, { kind: "message.received" }>> = {},
  ): Extract<MatrixFact, { kind: "message.received" }> {
    this.#events += 1;
    return {
      kind: "message.received",
      eventId: eventId(`$event${this.#events}`),
      room,
      sender: ann,
      ageMs: 10,
      receivedAtMs: this.clock.nowMs(),
      form: "text",
      body,
      edits: false,
      ...changes,
    };
  }

  arrival(text: string, changes: Partial<MessageArrival> = {}): MessageArrival {
    this.#events += 1;
    return {
      trunk: main,
      called: "+441632960999",
      identity: identityOf("+441632960123"),
      text,
      id: `call-id-${this.#events} 1`,
      ...changes,
    };
  }

  /** What telephones got, as number and text. */
  get telephones(): readonly string[] {
    return this.sent.map(({ target, text }) => `${formatUri(target)} ${text}`);
  }

  get words(): readonly string[] {
    return this.homeserver.notices.map(({ text }) => text);
  }

  /** What rooms got of telephones. */
  get written(): readonly (readonly [RoomId, UserId, string])[] {
    return this.homeserver.texts.map(({ room: where, as, text }) => [where, as, text]);
  }
}

export function identityOf(user: string, displayName?: string): RemoteIdentity {
  const from = { displayName, uri: makeSipUri({ user, host: "carrier.example" }), user, host: "carrier.example" };
  return { from, asserted: [], privacy: [], verstat: undefined };
}
