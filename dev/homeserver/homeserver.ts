// A small real homeserver: real HTTP, the client-server API as far as a calling client and
// a bridge go, application services served as Synapse was seen to serve them. Everything
// is in memory; no federation, no encryption keys, no media repository.
import { once } from "node:events";
import { patienceMs } from "../loopback/patience.ts";
import { listen } from "../loopback/listen.ts";
import { Accounts } from "./accounts.ts";
import { AppserviceConnection } from "./appservice/appservice-connection.ts";
import { AppservicePusher } from "./appservice/appservice-pusher.ts";
import { authenticate } from "./http/authentication.ts";
import type { ClientEvent, RoomEvent } from "./rooms/event.ts";
import { toClientEvent } from "./rooms/event.ts";
import { createHttpServer } from "./http/http-server.ts";
import type { Registration } from "./appservice/registration.ts";
import { parseRegistration } from "./appservice/registration.ts";
import { DelayedEvents } from "./rooms/delayed-events.ts";
import { Rooms } from "./rooms/rooms.ts";
import { Router } from "./http/router.ts";
import { addEventRoutes } from "./routes/events.ts";
import { addExtraRoutes } from "./routes/extras.ts";
import { addMembershipRoutes } from "./routes/membership.ts";
import { addProfileRoutes } from "./routes/profiles.ts";
import { addRegistrationRoutes } from "./routes/registration.ts";
import { addRtcRoutes } from "./routes/rtc.ts";
import { addSyncRoutes } from "./routes/sync.ts";
import { addThirdPartyRoutes } from "./routes/thirdparty.ts";
import { Stream } from "./sync/stream.ts";
import type { Lookup } from "./appservice/thirdparty.ts";
import { ThirdPartyNetworks } from "./appservice/thirdparty.ts";
import type { TokenProxy, World } from "./world.ts";

export type { ClientEvent } from "./rooms/event.ts";

export type HomeserverOptions = {
  /** 0 or absent: a free one. A taken one rejects with EADDRINUSE. */
  readonly port?: number;
  readonly host?: string;
  /** The part of user ids after the colon. */
  readonly domain?: string;
  readonly registrations?: readonly Registration[];
  readonly users?: readonly { localpart: string; password: string; displayname?: string }[];
  /** As Dendrite does: `%` and other characters outside the grammar are M_INVALID_USERNAME. */
  readonly strictUserIds?: boolean;
  /** How long an application service may take to answer. Default 60,000. */
  readonly appserviceTimeoutMs?: number;
  /** The wait after the n-th failed push in a row is this times 2^n. Default 1,000. */
  readonly retryBaseMs?: number;
  /** Where clients get tokens for media servers (MSC4143). */
  readonly mediaServices?: readonly string[];
  /** The first of them is asked for tokens by the homeserver itself, on behalf of its users (MSC4195, MSC4512). */
  readonly tokenProxy?: TokenProxy | undefined;
  /** Longest delay of an event (MSC4140); default a day, 0: none are delayed. */
  readonly maxEventDelayMs?: number;
  /** Whether events may stick (MSC4354); default true. */
  readonly takesSticky?: boolean;
  /** Milliseconds since the epoch, for timestamps, ages and the hour of the protocol cache. */
  readonly now?: () => number;
};

export type User = {
  readonly userId: string;
  readonly accessToken: string;
  readonly deviceId: string;
};

export type Homeserver = {
  readonly url: string;
  readonly domain: string;
  /** Ends every wait and connection. */
  stop(): Promise<void>;
  addUser(localpart: string, password?: string): User;
  /** Every event so far of one room or of all, oldest first. */
  events(roomId?: string): ClientEvent[];
  /** Calls back with every new event. Returns how to stop it. */
  onEvent(listener: (event: ClientEvent) => void): () => void;
  /** Calls back after every third-party lookup. Returns how to stop it. */
  onLookup(listener: (lookup: Lookup) => void): () => void;
  /** The first event, past or to come, that fits. Rejects after `timeoutMs`. */
  eventWhere(fits: (event: ClientEvent) => boolean, timeoutMs?: number): Promise<ClientEvent>;
  /** Resolves when the application services have taken every event so far. */
  pushed(): Promise<void>;
  /** True while a failed transaction waits to be sent again. */
  isAppserviceDown(appserviceId: string): boolean;
};

/** Throws a ZodError on a wrong registration; rejects if the port cannot be had. */
export async function startHomeserver(options: HomeserverOptions = {}): Promise<Homeserver> {
  const { host = "127.0.0.1", domain = "localhost", now = Date.now } = options;
  const stopped = new AbortController();
  const world = createWorld(options, domain, now);
  for (const { localpart, password, displayname } of options.users ?? []) {
    const account = world.accounts.create(localpart, password);
    if (displayname !== undefined) account.displayname = displayname;
  }
  const router = createRouter(world);
  const server = createHttpServer((facts) => router.dispatch(facts), stopped.signal);
  const port = await listen(server, options.port ?? 0, host);
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    domain,
    stop: async () => {
      stopped.abort();
      world.pusher.stop();
      world.delayedEvents.stop();
      for (const connection of world.connections) connection.stop();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
    addUser: (localpart, password) => {
      const account = world.accounts.create(localpart, password);
      return { userId: account.userId, ...world.accounts.openSession(account) };
    },
    ...observation(world),
  };
}

function createWorld(options: HomeserverOptions, domain: string, now: () => number): World {
  const stream = new Stream();
  const accounts = new Accounts(domain, stream);
  const rooms = new Rooms(accounts, stream, now);
  const connections = (options.registrations ?? []).map(
    (registration) =>
      new AppserviceConnection(parseRegistration(registration, domain), options.appserviceTimeoutMs ?? 60_000),
  );
  const pusher = new AppservicePusher(accounts, connections, {
    retryBaseMs: options.retryBaseMs ?? 1000,
    now,
  });
  rooms.onEvent((event, room) => pusher.notice(event, room));
  return {
    accounts,
    connections,
    now,
    delayedEvents: new DelayedEvents(rooms, now, options.maxEventDelayMs ?? 24 * 3_600_000),
    mediaServices: options.mediaServices ?? [],
    tokenProxy: options.tokenProxy,
    pusher,
    rooms,
    stream,
    strictUserIds: options.strictUserIds ?? false,
    takesSticky: options.takesSticky ?? true,
    thirdParty: new ThirdPartyNetworks(connections, now),
  };
}

function createRouter(world: World): Router {
  const appservices = world.connections.map(({ appservice }) => appservice);
  const router = new Router(({ authorization, query }) =>
    authenticate(world.accounts, appservices, authorization, query),
  );
  addRegistrationRoutes(router, world);
  addProfileRoutes(router, world);
  addMembershipRoutes(router, world);
  addEventRoutes(router, world);
  addRtcRoutes(router, world);
  addSyncRoutes(router, world);
  addThirdPartyRoutes(router, world);
  addExtraRoutes(router, world);
  return router;
}

type Observation = Pick<Homeserver, "events" | "onEvent" | "onLookup" | "eventWhere" | "pushed" | "isAppserviceDown">;

function observation({ rooms, now, pusher, thirdParty }: World): Observation {
  const shown = (event: RoomEvent) => toClientEvent(event, now());
  const events = (roomId?: string) =>
    rooms
      .all()
      .filter((room) => roomId === undefined || room.roomId === roomId)
      .flatMap(({ timeline }) => timeline)
      .toSorted((one, other) => one.position - other.position)
      .map(shown);
  const onEvent = (listener: (event: ClientEvent) => void) => rooms.onEvent((event) => listener(shown(event)));
  return {
    events,
    onEvent,
    onLookup: (listener) => thirdParty.onLookup(listener),
    eventWhere: (fits, timeoutMs = patienceMs) => {
      const past = events().find(fits);
      if (past) return Promise.resolve(past);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          stop();
          reject(new Error(`No such event within ${timeoutMs} ms`));
        }, timeoutMs);
        const stop = onEvent((event) => {
          if (!fits(event)) return;
          clearTimeout(timer);
          stop();
          resolve(event);
        });
      });
    },
    pushed: () => pusher.idle(),
    isAppserviceDown: (appserviceId) => pusher.queue(appserviceId)?.isDown ?? false,
  };
}
