// A Matrix client with a dial pad and no screen: matrix-js-sdk's legacy calls, driven by a test; its MatrixRTC calls are in rtc/.
// What it sends, and in which order, is what Element Web sends when a person dials.
import { Preset, Visibility } from "matrix-js-sdk";
import { EventType, MsgType, RelationType } from "matrix-js-sdk/lib/@types/event.js";
import { ClientEvent } from "matrix-js-sdk/lib/client.js";
import { type MatrixEvent, MatrixEventEvent } from "matrix-js-sdk/lib/models/event.js";
import { type Room, RoomEvent } from "matrix-js-sdk/lib/models/room.js";
import { CallErrorCode, createNewMatrixCall } from "matrix-js-sdk/lib/webrtc/call.js";
import { CallEventHandlerEvent } from "matrix-js-sdk/lib/webrtc/callEventHandler.js";
import type { Phone, RoomMessage, LoginOptions } from "./api.ts";
import { Ear } from "./ear.ts";
import { farAnswer, farAnswered, farOffer } from "./far-end.ts";
import { Keys } from "./keys.ts";
import type { ElementCall } from "./element-call/api.ts";
import { elementCall } from "./element-call/element-call.ts";
import { isDeleted, reactions, tap } from "./reactions.ts";
import { watchRings } from "./rtc/rings.ts";
import { rtcPhone } from "./rtc/rtc-phone.ts";
import type { RtcPhone } from "./rtc/api.ts";
import { logIn, theClient } from "./session.ts";
import { TrackedCall } from "./tracked-call.ts";

declare global {
  var phone: Phone;
  var rtcPhone: RtcPhone;
  var elementCall: ElementCall;
}

/** Element's order: the stable protocol first. */
const PSTN = ["m.protocol.pstn", "im.vector.protocol.pstn"];
/** Element gives the other member this long to be seen in the room, then calls in any case. */
const MEMBER_WAIT_MS = 1500;

const encrypted = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } } as const;

const ear = new Ear();
const tracked: TrackedCall[] = [];
const messages: RoomMessage[] = [];
let keys: Keys | undefined;
let protocols: string[] = [];

function theKeys(): Keys {
  if (keys === undefined) throw new Error("nobody is logged in");
  return keys;
}

function theCall(): TrackedCall {
  const call = tracked.at(-1);
  if (call === undefined) throw new Error("there is no call");
  return call;
}

async function login(options: LoginOptions): ReturnType<Phone["login"]> {
  const session = await logIn(options, async (client) => {
    keys = await Keys.of(client, options.encryption, options.password);
    // A microphone's filters would take a pure tone for noise.
    await client.getMediaHandler().setAudioSettings({
      autoGainControl: false,
      echoCancellation: false,
      noiseSuppression: false,
    });
    client.on(CallEventHandlerEvent.Incoming, (call) => tracked.push(new TrackedCall(call, ear)));
    client.on(RoomEvent.Timeline, read);
    client.on(MatrixEventEvent.Decrypted, read);
    watchRings(client);
  });
  protocols = Object.keys(await theClient().getThirdpartyProtocols());
  return session;
}

function read(event: MatrixEvent): void {
  if (event.getType() !== "m.room.message") return;
  const { msgtype, body } = event.getContent();
  messages.push({
    eventId: event.getId() ?? "",
    roomId: event.getRoomId() ?? "",
    sender: event.getSender() ?? "",
    msgtype: String(msgtype),
    body: String(body),
    repliesTo: event.replyEventId,
  });
}

async function lookup(number: string): Promise<string[]> {
  const protocol = PSTN.find((name) => protocols.includes(name));
  if (protocol === undefined) throw new Error("the homeserver offers no PSTN protocol: there is no dial pad");
  const found = await theClient().getThirdpartyUser(protocol, { "m.id.phone": number });
  return found.map((result) => result.userid);
}

async function directRoom(userId: string): Promise<string> {
  const matrix = theClient();
  const direct: Record<string, string[]> = { ...matrix.getAccountData(EventType.Direct)?.getContent() };
  const known = direct[userId]?.find((id) => matrix.getRoom(id)?.getMyMembership() === "join");
  if (known !== undefined) return known;
  const { room_id: roomId } = await matrix.createRoom({
    preset: Preset.TrustedPrivateChat,
    visibility: Visibility.Private,
    invite: [userId],
    is_direct: true,
    initial_state: [
      ...((await theKeys().has(userId)) ? [encrypted] : []),
      { type: "m.room.guest_access", state_key: "", content: { guest_access: "can_join" } },
      { type: "m.room.history_visibility", state_key: "", content: { history_visibility: "invited" } },
    ],
  });
  direct[userId] = [roomId, ...(direct[userId] ?? [])];
  await matrix.setAccountData(EventType.Direct, direct);
  await memberSeen(roomId, userId);
  return roomId;
}

/** Until the member is invited or joined as this client sees it, or Element's patience is over. */
function memberSeen(roomId: string, userId: string): Promise<void> {
  const matrix = theClient();
  return new Promise((resolve) => {
    const look = (): void => {
      if (matrix.getRoom(roomId)?.getMember(userId) === null) return;
      if (matrix.getRoom(roomId) === null) return;
      done();
    };
    const done = (): void => {
      clearTimeout(timer);
      matrix.off(ClientEvent.Event, look);
      resolve();
    };
    const timer = setTimeout(done, MEMBER_WAIT_MS);
    matrix.on(ClientEvent.Event, look);
    look();
  });
}

async function callIn(
  roomId: string,
  { began, video = false }: { began?: number; video?: boolean } = {},
): ReturnType<Phone["callIn"]> {
  const call = createNewMatrixCall(theClient(), roomId);
  if (call === null) throw new Error("this browser has no WebRTC");
  tracked.push(new TrackedCall(call, ear, began));
  await (video ? call.placeVideoCall() : call.placeVoiceCall());
  return { roomId, matrixCallId: call.callId };
}

async function dial(number: string, video = false): ReturnType<Phone["dial"]> {
  const began = performance.now();
  const [userId] = await lookup(number);
  const lookupMs = Math.round(performance.now() - began);
  if (userId === undefined) throw new Error("Unable to look up phone number");
  const roomId = await directRoom(userId);
  return { userId, lookupMs, ...(await callIn(roomId, { began: performance.timeOrigin + began, video })) };
}

async function dtmf(digits: string, durationMs: number): Promise<void> {
  const sender = theCall()
    .call.peerConn?.getSenders()
    .find((each) => each.track?.kind === "audio")?.dtmf;
  if (sender === undefined || sender === null || !sender.canInsertDTMF) throw new Error("this call takes no DTMF");
  const over = new Promise<void>((resolve) => {
    sender.addEventListener("tonechange", (event) => {
      if (event.tone === "") resolve();
    });
  });
  sender.insertDTMF(digits, durationMs, 70);
  await over;
}

function invited(): Room[] {
  return theClient()
    .getRooms()
    .filter((room) => room.getMyMembership() === "invite");
}

Object.assign(globalThis, { rtcPhone, elementCall });
globalThis.phone = {
  login,
  lookup,
  dial: (number) => dial(number),
  dialVideo: (number) => dial(number, true),
  directRoom,
  callIn: (roomId) => callIn(roomId),
  dtmf,
  protocols: () => protocols,
  call: async (userId) => callIn(await directRoom(userId)),
  calls: () => tracked.map((each) => each.report()),
  answer: () => theCall().call.answer(true, false),
  reject: () => theCall().call.reject(),
  hangup: () => theCall().call.hangup(CallErrorCode.UserHangup, false),
  hangupAll() {
    for (const { call } of tracked) if (!call.callHasEnded()) call.hangup(CallErrorCode.UserHangup, false);
  },
  hold: (onHold) => theCall().call.setRemoteOnHold(onHold),
  farOffer,
  farAnswer,
  farAnswered,
  transfer: (userId) => theCall().call.transfer(userId),
  async transferHeld(matrixCallId) {
    const held = tracked.find(({ call }) => call.callId === matrixCallId);
    if (held === undefined) throw new Error("there is no such call");
    await held.call.transferToCall(theCall().call);
  },
  async mute(muted) {
    await theCall().call.setMicrophoneMuted(muted);
  },
  restartIce: () => theCall().call.peerConn?.restartIce(),
  heard: (frequencies, durationMs) => ear.heard(frequencies, durationMs),
  messages: () => [...messages],
  async send(roomId, body) {
    const { event_id: eventId } = await theClient().sendTextMessage(roomId, body);
    return eventId;
  },
  async edit(roomId, eventId, body) {
    const relation = { rel_type: RelationType.Replace, event_id: eventId } as const;
    const content = { msgtype: MsgType.Text, body } as const;
    await theClient().sendMessage(roomId, {
      ...content,
      body: `* ${body}`,
      "m.new_content": content,
      "m.relates_to": relation,
    });
  },
  reactions,
  tap,
  isDeleted,
  async join(roomId) {
    await theClient().joinRoom(roomId);
  },
  async leave(roomId) {
    const room = theClient().getRoom(roomId);
    // The client knows of it when the next sync has told it.
    const left = new Promise<void>((resolve) => room?.on(RoomEvent.MyMembership, () => resolve()));
    await theClient().leave(roomId);
    await left;
  },
  newKey: (roomId) => theKeys().discardKey(roomId),
  deviceIdsOf: (userId) => theKeys().deviceIdsOf(userId),
  newIdentity: () => theKeys().newIdentity(),
  isVerified: () => theKeys().isVerified(),
  askForKey: (userId, wanted) => theKeys().askFor(userId, wanted),
  receivedToDevice: () => [...theKeys().received],
  async encryptRoom(roomId) {
    await theClient().sendStateEvent(roomId, EventType.RoomEncryption, encrypted.content, encrypted.state_key);
  },
  async logOut() {
    await theClient().logout(true);
  },
  invitations: () => invited().map(({ roomId }) => roomId),
  inviters: () =>
    invited().map((room) => ({
      roomId: room.roomId,
      sender: room.getMember(theClient().getSafeUserId())?.events.member?.getSender() ?? "",
    })),
  displayName: (roomId, userId) => theClient().getRoom(roomId)?.getMember(userId)?.name,
};
