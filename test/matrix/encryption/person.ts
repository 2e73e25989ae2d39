// A person's client, as far as encryption goes: a machine of its own that shares keys, encrypts and decrypts.
import {
  CollectStrategy,
  DecryptionSettings,
  DeviceId,
  DeviceLists,
  EncryptionSettings,
  initAsync,
  KeysClaimRequest,
  KeysQueryRequest,
  KeysUploadRequest,
  OlmMachine,
  RoomId,
  type ToDeviceRequest,
  RequestType,
  TrustRequirement,
  UserId,
} from "@matrix-org/matrix-sdk-crypto-wasm";
import type { KeyServer, SentEvent } from "./key-server.ts";

type Json = Record<string, unknown>;

let events = 0;

export class Person {
  readonly user: string;
  readonly device: string;
  readonly #server: KeyServer;
  readonly #machine: OlmMachine;

  private constructor(user: string, device: string, server: KeyServer, machine: OlmMachine) {
    this.user = user;
    this.device = device;
    this.#server = server;
    this.#machine = machine;
  }

  static async logIn(server: KeyServer, user = "@alice:example.org", device = "PHONE"): Promise<Person> {
    await initAsync();
    server.addDevice(user, device);
    const machine = await OlmMachine.initialize(new UserId(user), new DeviceId(device));
    const person = new Person(user, device, server, machine);
    await person.#flush();
    return person;
  }

  /** Has an identity, as every client of today gives its person one. */
  async crossSigns(): Promise<void> {
    const { uploadSigningKeysRequest } = await this.#machine.bootstrapCrossSigning(true);
    this.#server.identities.set(this.user, JSON.parse(uploadSigningKeysRequest.body) as Json);
    await this.#send(this.#machine.queryKeysForUsers([new UserId(this.user)]));
  }

  /** An event as the homeserver pushes it. `keysFirst`: the key is on its way before the event is. */
  async encrypts(room: string, type: string, content: Json, to: readonly string[]): Promise<Json> {
    await this.sharesKey(room, to);
    return this.seals(room, type, content);
  }

  /** With the devices that these users have now. */
  async sharesKey(room: string, to: readonly string[], strategy = CollectStrategy.allDevices()): Promise<void> {
    const users = (): UserId[] => [this.user, ...to].map((user) => new UserId(user));
    await this.#machine.updateTrackedUsers(users());
    await this.#flush();
    await this.#send(this.#machine.queryKeysForUsers(users()));
    const claim = await this.#machine.getMissingSessions(users());
    if (claim !== null && claim !== undefined) await this.#send(claim);
    const settings = new EncryptionSettings();
    settings.sharingStrategy = strategy;
    for (const request of await this.#machine.shareRoomKey(new RoomId(room), users(), settings)) {
      await this.#send(request);
    }
  }

  async seals(room: string, type: string, content: Json): Promise<Json> {
    const sealed = await this.#machine.encryptRoomEvent(new RoomId(room), type, JSON.stringify(content));
    events += 1;
    return {
      event_id: `$sealed${events}`,
      room_id: room,
      sender: this.user,
      type: "m.room.encrypted",
      origin_server_ts: Date.now(),
      content: JSON.parse(sealed) as Json,
    };
  }

  /** Sends something to one device alone. */
  async writes(to: string, device: string, type: string, content: Json): Promise<void> {
    const users = (): UserId[] => [new UserId(to)];
    await this.#machine.updateTrackedUsers(users());
    await this.#send(this.#machine.queryKeysForUsers(users()));
    const claim = await this.#machine.getMissingSessions(users());
    if (claim !== null && claim !== undefined) await this.#send(claim);
    const target = await this.#machine.getDevice(new UserId(to), new DeviceId(device));
    if (target === undefined) throw new Error(`${to} has no device ${device}`);
    const sealed = JSON.parse(await target.encryptToDeviceEvent(type, content)) as Json;
    const query = new URLSearchParams({ user_id: this.user, device_id: this.device });
    const body = { messages: { [to]: { [device]: sealed } } };
    this.#server.answer("PUT", "/_matrix/client/v3/sendToDevice/m.room.encrypted/1", query, body);
  }

  /** What was sent to this device alone, opened; the keys of rooms are taken in passing. */
  async letters(): Promise<readonly { readonly type: string; readonly sender: string; readonly content: Json }[]> {
    const toDevice = this.#server.deviceOf(this.user, this.device).inbox.splice(0);
    const opened = await this.#machine.receiveSyncChangesMsc4186(
      JSON.stringify(toDevice),
      new DeviceLists(),
      new Map(),
      undefined,
      new DecryptionSettings(TrustRequirement.Untrusted),
    );
    return opened.map(({ rawEvent }) => JSON.parse(rawEvent) as { type: string; sender: string; content: Json });
  }

  async reads({ room, sender, content }: Omit<SentEvent, "type" | "transaction"> & Partial<SentEvent>): Promise<{
    type: string;
    content: Json;
  }> {
    await this.letters();
    const settings = (): DecryptionSettings => new DecryptionSettings(TrustRequirement.Untrusted);
    const event = { event_id: "$any", sender, origin_server_ts: 1, room_id: room, type: "m.room.encrypted", content };
    const opened = await this.#machine.decryptRoomEvent(JSON.stringify(event), new RoomId(room), settings());
    return JSON.parse(opened.event) as { type: string; content: Json };
  }

  async #flush(): Promise<void> {
    for (const request of await this.#machine.outgoingRequests()) await this.#send(request as KeysUploadRequest);
  }

  async #send(request: KeysUploadRequest | KeysQueryRequest | KeysClaimRequest | ToDeviceRequest): Promise<void> {
    const [path, type] =
      request instanceof KeysUploadRequest
        ? ["keys/upload", RequestType.KeysUpload]
        : request instanceof KeysQueryRequest
          ? ["keys/query", RequestType.KeysQuery]
          : request instanceof KeysClaimRequest
            ? ["keys/claim", RequestType.KeysClaim]
            : [`sendToDevice/${request.event_type}/1`, RequestType.ToDevice];
    const query = new URLSearchParams({ user_id: this.user, device_id: this.device });
    const method = type === RequestType.ToDevice ? "PUT" : "POST";
    const [, answer] = this.#server.answer(
      method,
      `/_matrix/client/v3/${path}`,
      query,
      JSON.parse(request.body) as Json,
    );
    if (request.id !== undefined) await this.#machine.markRequestAsSent(request.id, type, JSON.stringify(answer));
  }
}
