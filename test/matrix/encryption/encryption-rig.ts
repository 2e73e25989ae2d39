// What the tests of encryption start: a homeserver's keys, the encryption of the edge, and a room with a person's client.
import { onTestFinished } from "vitest";
import { systemClock } from "../../../src/clock/system-clock.ts";
import { roomId, type RoomId } from "../../../src/core/ids.ts";
import { Connections } from "../../../src/matrix/http/connections.ts";
import { HomeserverClient } from "../../../src/matrix/client/homeserver-client.ts";
import { CryptoWorker } from "../../../src/matrix/encryption/crypto-worker.ts";
import { Encryption, type EncryptionParts } from "../../../src/matrix/encryption/encryption.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { collectingLog, ghost, type LogLine, sender } from "../edge-rig.ts";
import { KeyServer, serveKeys } from "./key-server.ts";
import { Person } from "./person.ts";

export const room = roomId("!room:example.org");
export const text = (body: string) => ({ msgtype: "m.text", body });

/** Whoever waits does so a part of the time. */
export const hasty = (times: number): Clock => ({
  ...systemClock,
  nowMs: () => systemClock.nowMs() * times,
  wallMs: () => systemClock.wallMs(),
  newId: () => systemClock.newId(),
  at: (atMs, then) => systemClock.at(atMs / times, then),
});
export const quickClock = hasty(20);

interface Rig {
  readonly server: KeyServer;
  readonly worker: CryptoWorker;
  readonly encryption: Encryption;
  readonly lines: LogLine[];
}

async function startKeyServer(): Promise<KeyServer> {
  const keys = new KeyServer();
  onTestFinished(await serveKeys(keys));
  return keys;
}

export async function start(more: Partial<EncryptionParts> = {}, server?: KeyServer): Promise<Rig> {
  const homeserver = server ?? (await startKeyServer());
  const lines: LogLine[] = [];
  const log = collectingLog(lines);
  const clock = more.clock ?? systemClock;
  const connections = new Connections(homeserver.url, "token");
  const worker = new CryptoWorker(systemClock, log);
  const encryption = new Encryption({
    client: new HomeserverClient(connections, sender, systemClock, log),
    worker,
    sender,
    ours: async () => [ghost],
    secret: Buffer.alloc(32, 7),
    mode: "on-demand",
    clock,
    log,
    ...more,
  });
  onTestFinished(async () => {
    encryption.giveUp();
    await encryption.stop();
    await connections.close();
  });
  return { server: homeserver, worker, encryption, lines };
}

/** A rig with an encrypted room of the ghost and Alice. */
export async function startRoom(more: Partial<EncryptionParts> = {}): Promise<Rig & { alice: Person }> {
  const rig = await start(more);
  rig.server.rooms.set(room, { members: new Set([ghost, "@alice:example.org"]), encrypted: true });
  const alice = await Person.logIn(rig.server);
  rig.encryption.note({ ...invitation, encrypted: true });
  await rig.encryption.entering(room, ghost);
  return { ...rig, alice };
}

export const invitation = {
  eventId: "$1",
  room,
  sender: "@alice:example.org",
  ageMs: 0,
  receivedAtMs: 0,
  kind: "member.invited",
  user: ghost,
  direct: true,
  encrypted: false,
  public: false,
} as unknown as Parameters<Encryption["note"]>[0] & { kind: "member.invited" };

export const opened = (encryption: Encryption, event: object, where: RoomId = room) =>
  encryption.open(where, JSON.stringify(event)) as Promise<{ type: string; content: { body: string } } | undefined>;
