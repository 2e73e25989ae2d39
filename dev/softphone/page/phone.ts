// The phone: one Matrix client, one call at a time, made with the SDK's own legacy calls
// as Element Web makes them. Knows no page; whoever shows it listens for changes.
import type { MatrixClient } from "matrix-js-sdk";
import {
  ClientEvent,
  EventType,
  HttpApiEvent,
  KnownMembership,
  RoomEvent,
  SyncState,
  createNewMatrixCall,
} from "matrix-js-sdk";
import type { MatrixCall } from "matrix-js-sdk/lib/webrtc/call.js";
import { CallDirection, CallErrorCode, CallEvent, CallParty, CallState } from "matrix-js-sdk/lib/webrtc/call.js";
import { CallEventHandlerEvent } from "matrix-js-sdk/lib/webrtc/callEventHandler.js";
import { ensureDirectRoom, findProtocol, lookUp } from "./directory.ts";
import { Ear } from "./ear.ts";
import type { Ending, Phase, PhoneState } from "./phone-state.ts";
import { endingOf, peerOf } from "./phone-state.ts";
import type { Message, SoftphoneProbe } from "./probe.ts";
import { RingTone } from "./ring-tone.ts";

const messageType: string = EventType.RoomMessage;
const invited: string = KnownMembership.Invite;

export class Phone {
  readonly ear = new Ear();
  readonly messages: Message[] = [];
  readonly #client: MatrixClient;
  readonly #ringTone = new RingTone();
  readonly #listeners = new Set<() => void>();
  /** Undefined until the homeserver has been asked, null where it has none. */
  #protocol: string | null | undefined;
  #isConnected = true;
  #state: PhoneState = { phase: "starting" };
  #call: MatrixCall | undefined;
  /** Counts up with each call and each hang-up: an older attempt to dial gives up. */
  #attempt = 0;
  #talkingSince: number | undefined;
  #digits = "";
  #isHeld = false;
  #transferProblem = "";

  constructor(client: MatrixClient) {
    this.#client = client;
  }

  get state(): PhoneState {
    return this.#state;
  }

  get userId(): string {
    return this.#client.getUserId() ?? "";
  }

  /** Whether the homeserver has a bridge to telephones. */
  get dialling(): SoftphoneProbe["dialling"] {
    if (this.#protocol === undefined) return "unknown";
    return this.#protocol === null ? "unavailable" : "available";
  }

  /** False while the homeserver does not answer. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** To be called with a client that has synced. */
  async start(): Promise<void> {
    if (!this.#client.supportsVoip()) {
      this.fail("This browser allows calls only on https or on localhost");
      return;
    }
    this.#client.on(CallEventHandlerEvent.Incoming, (call) => this.#ring(call));
    // Who calls for the first time invites to a room, and it rings there once one has joined.
    this.#client.on(RoomEvent.MyMembership, (room, membership) => {
      if (membership === invited) this.#join(room.roomId);
    });
    for (const room of this.#client.getRooms()) if (room.getMyMembership() === invited) this.#join(room.roomId);
    this.#client.on(RoomEvent.Timeline, (event, room, _toStart, _removed, { liveEvent }) => {
      if (liveEvent !== true || event.getType() !== messageType) return;
      const { body, msgtype } = event.getContent();
      if (typeof body !== "string") return;
      const sender = event.getSender() ?? "";
      const name = room?.getMember(sender)?.name ?? sender;
      this.messages.push({ sender: name, body, sentAt: event.getTs(), isNotice: msgtype === "m.notice" });
      this.#changed();
    });
    this.#client.on(ClientEvent.Sync, (state) => {
      this.#isConnected = state !== SyncState.Error && state !== SyncState.Reconnecting;
      this.#changed();
    });
    this.#client.on(HttpApiEvent.SessionLoggedOut, () => this.fail("Signed out. Please reload the page."));
    this.#become({ phase: "idle" });
    try {
      this.#protocol = (await findProtocol(this.#client)) ?? null;
    } catch (error) {
      console.error("The homeserver does not say what it bridges to", error);
      this.#protocol = null;
    }
    this.#changed();
  }

  fail(problem: string): void {
    this.#become({ phase: "broken", problem });
  }

  async dial(typed: string): Promise<void> {
    if (this.#state.phase !== "idle" || !this.#protocol || typed.trim() === "") return;
    const attempt = (this.#attempt += 1);
    const isOver = () => attempt !== this.#attempt;
    this.#become({ phase: "looking-up", peer: typed });
    try {
      await this.ear.wake();
      const userId = await lookUp(this.#client, this.#protocol, typed);
      if (isOver()) return;
      if (userId === undefined) return this.#end({ words: "No such number", isFailure: true });
      const roomId = await ensureDirectRoom(this.#client, userId);
      if (isOver()) return;
      const call = createNewMatrixCall(this.#client, roomId);
      if (!call) return this.#end({ words: "This browser cannot make calls", isFailure: true });
      this.#follow(call, typed);
      await call.placeVoiceCall();
    } catch (error) {
      console.error("The call could not be placed", error);
      if (!isOver() && this.#state.phase !== "idle") this.#end({ words: "Call failed", isFailure: true });
    }
  }

  async answer(): Promise<void> {
    if (this.#state.phase !== "incoming") return;
    await this.ear.wake();
    await this.#call?.answer(true, false);
  }

  /** Cancels, declines or ends, whatever there is. */
  hangUp(): void {
    this.#attempt += 1;
    const call = this.#call;
    if (!call) {
      if (this.#state.phase === "looking-up") this.#end({ words: "Cancelled", isFailure: false });
      return;
    }
    if (call.state === CallState.Ringing) call.reject();
    else call.hangup(CallErrorCode.UserHangup, false);
  }

  async setMuted(isMuted: boolean): Promise<void> {
    await this.#call?.setMicrophoneMuted(isMuted);
    this.#update();
  }

  setHeld(isHeld: boolean): void {
    if (this.#state.phase !== "talking") return;
    this.#isHeld = isHeld;
    this.#call?.setRemoteOnHold(isHeld);
    this.#update();
  }

  /** Sends a digit of the pad to the other side (RFC 4733, by the browser). */
  press(digit: string): void {
    if (this.#state.phase !== "talking" || !this.#state.takesDigits) return;
    this.#call?.sendDtmfDigit(digit);
    this.#digits += digit;
    this.#update();
  }

  /** Sends the other side on to a number, and leaves the call. */
  async transfer(typed: string): Promise<void> {
    const call = this.#call;
    if (!call || this.#state.phase !== "talking" || !this.#protocol || typed.trim() === "") return;
    try {
      const userId = await lookUp(this.#client, this.#protocol, typed);
      if (userId === undefined) this.#transferProblem = "No such number";
      else await call.transfer(userId);
    } catch (error) {
      console.error("The call could not be transferred", error);
      this.#transferProblem = "The call could not be transferred";
    }
    if (this.#call === call) this.#update();
  }

  #join(roomId: string): void {
    this.#client.joinRoom(roomId).catch((error: unknown) => console.error("A room could not be joined", error));
  }

  #ring(call: MatrixCall): void {
    if (this.#call || this.#state.phase !== "idle") {
      call.reject();
      return;
    }
    const room = this.#client.getRoom(call.roomId);
    this.#attempt += 1;
    this.#follow(call, call.getOpponentMember()?.name ?? room?.name ?? "Somebody");
  }

  #follow(call: MatrixCall, peer: string): void {
    this.#call = call;
    this.#talkingSince = undefined;
    this.#digits = "";
    this.#isHeld = false;
    this.#transferProblem = "";
    const update = () => this.#update(peer);
    call.on(CallEvent.State, update);
    call.on(CallEvent.LocalHoldUnhold, update);
    call.on(CallEvent.FeedsChanged, update);
    call.on(CallEvent.Error, (error) => console.error("The call reports", error));
    call.on(CallEvent.Replaced, (next) => this.#follow(next, peer));
    update();
  }

  #update(peer = peerOf(this.#state)): void {
    const call = this.#call;
    if (!call) return;
    switch (call.state) {
      case CallState.Fledgling:
      case CallState.WaitLocalMedia:
      case CallState.CreateOffer:
        return this.#become({ phase: "preparing", peer });
      case CallState.InviteSent:
        return this.#become({ phase: "ringing", peer });
      case CallState.Ringing:
        return this.#become({ phase: "incoming", peer });
      case CallState.CreateAnswer:
      case CallState.Connecting:
        return this.#become({ phase: "connecting", peer });
      case CallState.Connected:
        return this.#talk(call, peer);
      case CallState.Ended:
        return this.#ended(call);
    }
  }

  #talk(call: MatrixCall, peer: string): void {
    this.#talkingSince ??= Date.now();
    const heard = call.getRemoteFeeds().find((feed) => feed.hasAudioTrack);
    if (heard) this.ear.listenTo(heard.stream);
    this.#become({
      phase: "talking",
      peer,
      since: this.#talkingSince,
      isMuted: call.isMicrophoneMuted(),
      isHeld: this.#isHeld,
      isHeldByPeer: call.isLocalOnHold() && !this.#isHeld,
      takesDigits: call.opponentSupportsDTMF(),
      digits: this.#digits,
      canBeTransferred: call.opponentCanBeTransferred(),
      transferProblem: this.#transferProblem,
    });
  }

  #ended(call: MatrixCall): void {
    this.#call = undefined;
    const talkedMs = this.#talkingSince === undefined ? undefined : Date.now() - this.#talkingSince;
    this.#end(
      endingOf({
        by: call.hangupParty === CallParty.Local ? "us" : "them",
        reason: call.hangupReason,
        talkedMs,
        isOutbound: call.direction === CallDirection.Outbound,
      }),
    );
  }

  #end(ending: Ending): void {
    this.ear.stop();
    this.#become({ phase: "idle", peer: peerOf(this.#state), ending });
  }

  #become(state: PhoneState): void {
    this.#state = state;
    if (state.phase === "ringing" || state.phase === "incoming") {
      void this.#soundRing(state.phase);
    } else this.#ringTone.stop();
    this.#changed();
  }

  async #soundRing(phase: Phase): Promise<void> {
    const context = await this.ear.wake();
    if (this.#state.phase === phase) this.#ringTone.start(context);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
