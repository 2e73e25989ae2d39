// The crypto worker: one machine for each user of ours that has keys, in memory alone. A panic of the machines' code takes
// the whole thread with it, and nothing else.
import { parentPort } from "node:worker_threads";
import {
  BackupDecryptionKey,
  CollectStrategy,
  DecryptedToDeviceEvent,
  DecryptionErrorCode,
  DecryptionSettings,
  DeviceId,
  DeviceLists,
  EncryptionSettings,
  initAsync,
  KeysClaimRequest,
  KeysQueryRequest,
  KeysUploadRequest,
  MegolmDecryptionError,
  OlmMachine,
  RoomId,
  ShieldStateCode,
  ToDeviceRequest,
  RequestType,
  TrustRequirement,
  UserId,
} from "@matrix-org/matrix-sdk-crypto-wasm";
import type {
  AnswerTo,
  BackupRequest,
  FromWorker,
  Letter,
  MachineRequest,
  Opened,
  Question,
  QuestionKind,
  QuestionOf,
  ToWorker,
} from "./protocol.ts";

type AnyRequest = KeysUploadRequest | KeysQueryRequest | KeysClaimRequest | ToDeviceRequest;

const machines = new Map<string, OlmMachine>();
const backupKeys = new Map<string, BackupDecryptionKey>();

const requestTypes: Readonly<Record<QuestionOf<"answered">["of"], RequestType>> = {
  "keys-backup": RequestType.KeysBackup,
  "keys-upload": RequestType.KeysUpload,
  "keys-query": RequestType.KeysQuery,
  "keys-claim": RequestType.KeysClaim,
  "to-device": RequestType.ToDevice,
};

function isRequest(request: object): request is AnyRequest {
  return (
    request instanceof KeysUploadRequest ||
    request instanceof KeysQueryRequest ||
    request instanceof KeysClaimRequest ||
    request instanceof ToDeviceRequest
  );
}

function kindOf(request: AnyRequest): MachineRequest["kind"] {
  if (request instanceof KeysUploadRequest) return "keys-upload";
  if (request instanceof KeysQueryRequest) return "keys-query";
  if (request instanceof KeysClaimRequest) return "keys-claim";
  return "to-device";
}

function plain(request: AnyRequest): MachineRequest {
  const common = { kind: kindOf(request), id: request.id, body: request.body };
  if (!(request instanceof ToDeviceRequest)) return common;
  return { ...common, eventType: request.event_type, transaction: request.txn_id };
}

/** The library frees the ids that it is given. */
const ids = (users: readonly string[]): UserId[] => users.map((user) => new UserId(user));

async function make({ user, device }: QuestionOf<"make">): Promise<null> {
  machines.get(user)?.close();
  machines.set(user, await OlmMachine.initialize(new UserId(user), new DeviceId(device)));
  return null;
}

function forget({ user }: QuestionOf<"forget">): null {
  machines.get(user)?.close();
  machines.delete(user);
  backupKeys.delete(user);
  return null;
}

async function receive(machine: OlmMachine, { news }: QuestionOf<"receive">): Promise<readonly Letter[]> {
  const { events, counts, unusedFallbackKeys } = news;
  const letters: Letter[] = [];
  // One by one: of a room's key that comes twice in one go, the machine keeps the later one, which may open less.
  for (const event of events) {
    const [opened] = await machine.receiveSyncChangesMsc4186(
      `[${event}]`,
      new DeviceLists(),
      new Map(),
      undefined,
      settings(),
    );
    const letter = opened instanceof DecryptedToDeviceEvent ? letterIn(opened) : undefined;
    if (letter !== undefined) letters.push(letter);
  }
  if (news.changed === "everybody") await machine.markAllTrackedUsersAsDirty();
  const lists = new DeviceLists(ids(news.changed === "everybody" ? [] : news.changed), ids(news.left));
  const unused = unusedFallbackKeys && new Set(unusedFallbackKeys);
  // Counts that nobody told must not be taken for none: each time fifty keys more would be uploaded.
  if (counts === undefined) await machine.receiveSyncChangesMsc4186("[]", lists, new Map(), unused, settings());
  else await machine.receiveSyncChanges("[]", lists, new Map(Object.entries(counts)), unused, settings());
  return letters;
}

/** Who sent it, the machine has found by the keys with which it came. */
function letterIn({ rawEvent, encryptionInfo }: DecryptedToDeviceEvent): Letter | undefined {
  const { type, content } = JSON.parse(rawEvent) as Partial<Pick<Letter, "type" | "content">>;
  const device = encryptionInfo.senderDevice?.toString();
  if (type === undefined || content === undefined || device === undefined || !isOfApplication(type)) return undefined;
  return { sender: encryptionInfo.sender.toString(), device, type, content };
}

/** Secrets and keys of rooms have no business in the main thread. */
function isOfApplication(type: string): boolean {
  return type.startsWith("io.element.call.");
}

async function write(machine: OlmMachine, { to, device, type, content }: QuestionOf<"write">): Promise<string | null> {
  const found = await machine.getDevice(new UserId(to), new DeviceId(device));
  return found === undefined ? null : found.encryptToDeviceEvent(type, JSON.parse(content));
}

function settings(): DecryptionSettings {
  return new DecryptionSettings(TrustRequirement.Untrusted);
}

async function share(machine: OlmMachine, { room, users }: QuestionOf<"share">): Promise<readonly MachineRequest[]> {
  const sharing = new EncryptionSettings();
  // Whoever may read the room may hear the call: a person need not have verified their devices, and no number verifies people.
  sharing.sharingStrategy = CollectStrategy.allDevices();
  return (await machine.shareRoomKey(new RoomId(room), ids(users), sharing)).map(plain);
}

async function decrypt(machine: OlmMachine, { room, event }: QuestionOf<"decrypt">): Promise<Opened> {
  try {
    const opened = await machine.decryptRoomEvent(event, new RoomId(room), settings());
    if (opened.shieldState(false).code === ShieldStateCode.MismatchedSender) {
      return { kind: "unreadable", why: "its sender is not whose key it was encrypted with" };
    }
    const { type, content } = JSON.parse(opened.event) as Pick<Extract<Opened, { kind: "plain" }>, "type" | "content">;
    return { kind: "plain", type, content };
  } catch (error) {
    if (!(error instanceof MegolmDecryptionError)) return { kind: "unreadable", why: String(error) };
    if (error.code === DecryptionErrorCode.MissingRoomKey) return { kind: "no-key" };
    // It was sent before its sender knew of our device: no key for it will ever come.
    return { kind: "unreadable", why: error.description };
  }
}

function backupKey({ user, key }: QuestionOf<"backup-key">): string {
  const found = BackupDecryptionKey.fromBase64(key);
  backupKeys.set(user, found);
  return found.megolmV1PublicKey.publicKeyBase64;
}

async function unsaved(machine: OlmMachine): Promise<BackupRequest | null> {
  const request = await machine.backupRoomKeys();
  return request === undefined ? null : { id: request.id, version: request.version, body: request.body };
}

async function restore(
  machine: OlmMachine,
  { user, room, session, version, data }: QuestionOf<"restore">,
): Promise<null> {
  const { ephemeral = "", mac = "", ciphertext = "" } = JSON.parse(data) as Readonly<Record<string, string>>;
  const text = backupKeys.get(user)?.decryptV1(ephemeral, mac, ciphertext);
  if (text === undefined) return null;
  const key: unknown = { ...(JSON.parse(text) as object), room_id: room, session_id: session };
  const keys = new Map([[new RoomId(room), new Map([[session, key]])]]);
  await machine.importBackedUpRoomKeys(keys, () => undefined, version);
  return null;
}

async function outgoing(machine: OlmMachine): Promise<readonly MachineRequest[]> {
  return (await machine.outgoingRequests()).filter(isRequest).map(plain);
}

async function answer(question: Question): Promise<AnswerTo<QuestionKind>> {
  if (question.kind === "make") return make(question);
  if (question.kind === "forget") return forget(question);
  const machine = machines.get(question.user);
  if (machine === undefined) throw new Error("no such machine");
  switch (question.kind) {
    case "receive":
      return receive(machine, question);
    case "write":
      return write(machine, question);
    case "outgoing":
      return outgoing(machine);
    case "answered":
      await machine.markRequestAsSent(question.request, requestTypes[question.of], question.body);
      return null;
    case "track":
      await machine.updateTrackedUsers(ids(question.users));
      return null;
    case "claim": {
      const request = await machine.getMissingSessions(ids(question.users));
      return request === null || request === undefined ? null : plain(request);
    }
    case "share":
      return share(machine, question);
    case "encrypt":
      return machine.encryptRoomEvent(new RoomId(question.room), question.type, question.content);
    case "backup-key":
      return backupKey(question);
    case "back-up":
      await machine.enableBackupV1(question.publicKey, question.version);
      return null;
    case "unsaved":
      return unsaved(machine);
    case "restore":
      return restore(machine, question);
    case "decrypt":
      return decrypt(machine, question);
  }
}

const started = initAsync();

parentPort?.on("message", ({ number, question }: ToWorker) => {
  const say = (message: FromWorker): void => parentPort?.postMessage(message, []);
  void started
    .then(() => answer(question))
    .then(
      (result) => say({ number, kind: "answer", answer: result }),
      (error: unknown) =>
        say({ number, kind: "failed", message: error instanceof Error ? error.message : String(error) }),
    );
});
