// The Matrix edge put together: the library's Bridge for users and queries for them, our intake for events,
// our Homeserver for orders. Who comes in: app.ts, and tests.
import type { RoomId, UserId } from "../core/ids.ts";
import type { Clock } from "../ports/clock.ts";
import { doneWithin } from "../ports/done-within.ts";
import type { ConferenceAccess } from "../ports/conference.ts";
import { noTap, type LadderTap } from "../ports/ladders/tap.ts";
import type { ApplicationServiceQueries, MatrixConnection, MatrixFact, MatrixSinks } from "../ports/homeserver.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { ApplicationService } from "./appservice/application-service.ts";
import { Connections } from "./http/connections.ts";
import { watchedBy } from "./http/watched-requests.ts";
import { HomeserverClient } from "./client/homeserver-client.ts";
import { homeserverQuestions, type HomeserverQuestions } from "./client/questions.ts";
import { CryptoWorker } from "./encryption/crypto-worker.ts";
import { Encryption, type EncryptionParts } from "./encryption/encryption.ts";
import { HttpHomeserver } from "./homeserver.ts";
import { Intake } from "./intake.ts";
import { Outbox } from "./outbox.ts";
import { KindSpeaker } from "./legs/kind-speaker.ts";
import { LegacySpeaker } from "./legs/legacy-speaker.ts";
import { isOfRtc, openRtc, type RtcOptions } from "./rtc/open-rtc.ts";
import type { RoomFact } from "./wire/event.ts";
import { AppServiceRegistration, AppserviceHttpError, Bridge } from "./client/library.ts";
import { ownUser, type RegistrationDocument } from "./registration.ts";

export interface MatrixEdgeOptions {
  readonly registration: RegistrationDocument;
  /** Localpart of the bot. */
  readonly bot: string;
  /** Base address of the client-server API, without `/_matrix`. */
  readonly homeserverUrl: string;
  readonly domain: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** undefined: encrypted rooms are not read. */
  readonly encryption?: Pick<EncryptionParts, "mode" | "secret"> | undefined;
  /** undefined: the bridge takes no part in calls of MatrixRTC. */
  readonly rtc?: RtcOptions | undefined;
  /** Told of every event. */
  readonly tap?: LadderTap | undefined;
  readonly telemetry: Pick<Telemetry, "log" | "tracing" | "eventsTaken" | "inboxDepth" | "homeserverAnswered">;
  readonly clock: Clock;
}

export interface MatrixEdge extends MatrixConnection {
  readonly questions: HomeserverQuestions;
  /**
   * Instead of `listen`: answers pings and lookups, and takes no events, so that the homeserver keeps them for the bridge.
   * Rejects where the address cannot be had.
   */
  answer(queries: ApplicationServiceQueries): Promise<void>;
  /** Our seats in calls of MatrixRTC; undefined: the bridge takes no part in them. */
  readonly conferences: ConferenceAccess | undefined;
  /** The port listened on, after `listen`. */
  port(): number;
  /** Facts stored and handed over that the bridge has not finished with. */
  inboxDepth(): number;
  /** Resolves when the bridge has acted on everything handed over. */
  idle(): Promise<void>;
}

const listenBacklog = 511;
/** How long the facts under way may take when the bridge is stopped. */
const stopGraceMs = 5_000;

export function createMatrixEdge(options: MatrixEdgeOptions): MatrixEdge {
  const { clock, domain, telemetry, tap = noTap } = options;
  const { log } = telemetry;
  const bot = ownUser(options.bot, domain);
  const sender = ownUser(options.registration.sender_localpart, domain);
  const registration = AppServiceRegistration.fromObject({
    ...options.registration,
    protocols: [...(options.registration.protocols ?? [])],
    namespaces: { users: options.registration.namespaces.users.map((namespace) => ({ ...namespace })) },
  });
  const isOwn = (user: UserId): boolean => user === bot || user === sender || registration.isUserMatch(user, false);

  let sinks: MatrixSinks | undefined;
  let queries: ApplicationServiceQueries | undefined;
  const given = (): MatrixSinks => {
    if (sinks === undefined) throw new Error("the Matrix edge does not listen yet");
    return sinks;
  };

  const watch = watchedBy(telemetry, clock);
  const connections = new Connections(options.homeserverUrl, options.registration.as_token, watch);
  const client = new HomeserverClient(connections, sender, clock, log);
  const ours = (room: RoomId): Promise<readonly UserId[]> => given().ours(room);
  const encryption =
    options.encryption &&
    new Encryption({ ...options.encryption, worker: new CryptoWorker(clock, log), client, sender, ours, clock, log });
  const outbox = new Outbox(client, clock, encryption, tap);
  const emit = (fact: MatrixFact): void => intake.report(fact);
  const around = { client, outbox, encryption, bot, sender, domain, isOwn, ours, emit, tap, clock, log };
  const rtc = openRtc(options.rtc, around);
  const speaker = new KindSpeaker({ legacy: new LegacySpeaker(outbox), rtc: rtc?.speaker, log });
  const meaning = async (fact: RoomFact): Promise<readonly MatrixFact[]> => {
    const facts = rtc === undefined ? (isOfRtc(fact) ? [] : [fact]) : await rtc.meaning(fact);
    for (const one of facts) speaker.heard(one);
    return facts;
  };
  const intake = new Intake({ sinks: given, isOwn, encryption, meaning, tap, clock, telemetry });

  const bridge = new Bridge({
    registration,
    homeserverUrl: options.homeserverUrl,
    domain,
    // The store is ours, with more than the library's could hold.
    disableStores: true,
    // Ids are made exact by core; see library.ts for the library's second switch.
    escapeUserIds: false,
    logRequestOutcome: false,
    controller: {
      // Events do not come this way: the intake takes them before the library sees them.
      onEvent: () => undefined,
      onLog: () => undefined,
      onUserQuery: async (user) => {
        // The library answers 200 to everything but an error, which would make every id a user.
        const exists = await given()
          .queries.userExists(user.getId())
          .catch((error: unknown) => {
            // The library would answer 500 without a word.
            log.warn("could not create a user that the homeserver asked for", { user: user.getId(), error });
            throw new AppserviceHttpError({ errcode: "M_UNKNOWN", error: "The user could not be made" }, 500);
          });
        // Nothing for the library to do: the ghost is registered.
        if (exists) return;
        throw new AppserviceHttpError({ errcode: "M_NOT_FOUND", error: "No such user" }, 404);
      },
    },
  });

  const service = new ApplicationService({
    hsToken: options.registration.hs_token,
    take: ({ events, news }) => {
      if (sinks === undefined) return Promise.reject(new Error("events are for the bridge alone"));
      // Its keys come before what they open.
      if (news !== undefined) encryption?.pushed(news);
      return intake.take(events);
    },
    queries: () => queries ?? given().queries,
    clock,
    log,
  });

  const homeserver = new HttpHomeserver({
    domain,
    bot,
    sender,
    applicationService: options.registration.id,
    client,
    intake,
    outbox,
    speaker,
    rtc,
    encryption,
    pingsSeen: () => service.pingsSeen,
    clock,
    log,
  });

  return {
    homeserver,
    conferences: rtc?.conferences,
    questions: homeserverQuestions(client),
    answer(asked) {
      queries = asked;
      return service.listen(options.port, options.host, listenBacklog);
    },
    async listen(to) {
      sinks = to;
      encryption?.start();
      rtc?.start();
      await bridge.initialise();
      await bridge.listen(options.port, options.host, listenBacklog, service);
    },
    deliver: () => intake.deliver(),
    port: () => service.port,
    inboxDepth: () => intake.depth,
    idle: () => intake.idle(),
    async stop() {
      intake.stop();
      encryption?.giveUp();
      await bridge.close();
      await service.close();
      // Side by side: what the bridge is doing with a fact may be waiting for the homeserver.
      await doneWithin(stopGraceMs, Promise.all([intake.idle(), rtc?.idle(), homeserver.stop()]), clock);
      await rtc?.stop();
      await encryption?.stop();
      await connections.close();
    },
  };
}
