// What a test can ask of the page: plain data in and out, as it crosses from Node to the browser.

/** What Element's tile or dialog says when a call has ended, where it says anything. */
export type Shown = "Call declined" | "User Busy" | "Call Failed";

/** `signed`: it speaks to devices that their owners have signed alone, as Element's "Exclude insecure devices". */
export type ClientEncryption = "none" | "any" | "signed";

/** When something first happened in a call, in ms since the epoch: one clock for all parts of one machine. */
export interface CallMoments {
  /** The number was dialled, or the call placed or come in. */
  readonly began: number;
  /** The invite was sent. */
  readonly invited?: number;
  /** The answer was there and applied. */
  readonly answered?: number;
  /** ICE found a way. */
  readonly iceConnected?: number;
  /** DTLS was done too. */
  readonly connected?: number;
  /** Something came out of the loudspeaker. */
  readonly audible?: number;
}

/** One call as the client sees it. */
export interface CallReport {
  readonly matrixCallId: string;
  readonly roomId: string;
  readonly direction: string;
  /** The call's state in matrix-js-sdk's words: `invite_sent`, `connecting`, `connected`, `ended` ... */
  readonly state: string;
  /** Every state with its moment, in ms since the call was placed or came in. */
  readonly history: readonly { readonly state: string; readonly atMs: number }[];
  readonly hangupParty: string | undefined;
  readonly hangupReason: string | undefined;
  readonly moments: CallMoments;
  /** Codes of the errors the call emitted. */
  readonly errors: readonly string[];
  readonly shown: Shown | undefined;
  /** Did we hold the other side, did it hold us? */
  readonly remoteOnHold: boolean;
  readonly localOnHold: boolean;
  readonly microphoneMuted: boolean;
  /** May it be handed over, does it take keys, by the far side's word? */
  readonly transferable: boolean;
  readonly takesKeys: boolean;
  /** Who the far side says is at the telephone now. */
  readonly assertedName: string | undefined;
  /** The peer connection's own words: `connected`, `failed` ... */
  readonly connection: string | undefined;
  /** What we sent and what the other side accepted of it: `audio`, `video`, `no video` for a rejected section. */
  readonly localMedia: readonly string[];
  readonly remoteMedia: readonly string[];
  /** Changes on both sides when ICE is restarted. */
  readonly localUfrag: string | undefined;
  readonly remoteUfrag: string | undefined;
  /** Of the other side's candidate that media goes to now. */
  readonly usedUfrag: string | undefined;
}

/** What the far side sounds like. */
export interface HeardReport {
  readonly hz: number | undefined;
  readonly ratio: number;
  readonly levelDb: number;
}

/** One message that a person would read in the room. */
export interface RoomMessage {
  readonly eventId: string;
  readonly roomId: string;
  readonly sender: string;
  readonly msgtype: string;
  readonly body: string;
  /** The event that it answers, if it is a reply. */
  readonly repliesTo: string | undefined;
}

/** A mark under a message, and who put it there. */
export interface Reaction {
  readonly key: string;
  readonly sender: string;
}

export interface DialReport {
  /** The user the lookup gave. */
  readonly userId: string;
  readonly roomId: string;
  readonly matrixCallId: string;
  readonly lookupMs: number;
}

export interface LoginOptions {
  readonly homeserver: string;
  readonly user: string;
  readonly password: string;
  readonly encryption: ClientEncryption;
  /** What an authentication service has given the client: it need not log in. */
  readonly session?: { readonly accessToken: string; readonly userId: string; readonly deviceId: string };
}

/** The telephone in the page. All waiting is done outside, by asking again. */
export interface Phone {
  /** Logs in, waits for the first sync, and asks for the third-party protocols as Element does at login. */
  login(options: LoginOptions): Promise<{ userId: string; deviceId: string }>;
  /** The protocols the homeserver offered at login; the dial pad is there if one of them is PSTN's. */
  protocols(): string[];
  /** The user ids that a lookup gives for a number; nothing else happens. */
  lookup(number: string): Promise<string[]>;
  /** Dials a number: lookup, direct room, voice call. */
  dial(number: string): Promise<DialReport>;
  /** The same with the camera on. */
  dialVideo(number: string): Promise<DialReport>;
  /** Calls a user in their direct room. */
  call(userId: string): Promise<{ roomId: string; matrixCallId: string }>;
  /** Calls in a room that is there already. */
  callIn(roomId: string): Promise<{ roomId: string; matrixCallId: string }>;
  /** Every call so far, the oldest first. */
  calls(): CallReport[];
  /** The remaining ones are about the newest call. */
  answer(): Promise<void>;
  reject(): void;
  hangup(): void;
  /** Of every call that is left. */
  hangupAll(): void;
  hold(onHold: boolean): void;
  /** Hands the call over to a user, as Element's transfer does without asking them (MSC2747). */
  transfer(userId: string): Promise<void>;
  /** Connects the far ends of the newest call and of the one of that id, which is on hold. */
  transferHeld(matrixCallId: string): Promise<void>;
  mute(muted: boolean): Promise<void>;
  /** The far end of a call in the page itself: an offer of it, its answer to one, and the answer to its newest offer. */
  farOffer(): Promise<string>;
  farAnswer(sdp: string): Promise<string>;
  farAnswered(sdp: string): Promise<void>;
  /** As the client does by itself when its network changes. */
  restartIce(): void;
  /** Presses keys of `durationMs` each, and waits until the last is let go. */
  dtmf(digits: string, durationMs: number): Promise<void>;
  /** The last `durationMs` of what the far side plays; undefined before there is as much. */
  heard(frequencies: readonly number[], durationMs: number): HeardReport | undefined;
  /** All messages of all rooms, in the order they came. */
  messages(): RoomMessage[];
  /** Gives the id of the event. */
  send(roomId: string, body: string): Promise<string>;
  /** Changes a text that this user has sent. */
  edit(roomId: string, eventId: string, body: string): Promise<void>;
  /** What is under a message, in the order in which it came. */
  reactions(roomId: string, eventId: string): Reaction[];
  /** Adds this user's reaction, or takes it back if it is there. */
  tap(roomId: string, eventId: string, key: string): Promise<void>;
  /** Clients show that the message was deleted. */
  isDeleted(roomId: string, eventId: string): boolean;
  /** Joins a room this user is invited to. */
  join(roomId: string): Promise<void>;
  /** Leaves a room this user is in. */
  leave(roomId: string): Promise<void>;
  /** Rooms this user is invited to. */
  invitations(): string[];
  /** Who invited this user to each of them. */
  inviters(): { roomId: string; sender: string }[];
  /** A direct room with a user, found or made as Element makes it. */
  directRoom(userId: string): Promise<string>;
  /** The devices of a user that this client encrypts for. */
  deviceIdsOf(userId: string): Promise<string[]>;
  /** What is sent next in the room is encrypted with a new key. */
  newKey(roomId: string): Promise<void>;
  /** Gives this user an identity, in place of the one there was. */
  newIdentity(): Promise<void>;
  /** This device is signed by the user's identity. */
  isVerified(): Promise<boolean>;
  /** Asks a user's devices for the key of a session, and for a key of their identity. */
  askForKey(userId: string, wanted: { roomId: string; sessionId: string }): Promise<void>;
  /** Types of the to-device messages that came. */
  receivedToDevice(): string[];
  /** From now on what is said in the room is encrypted. */
  encryptRoom(roomId: string): Promise<void>;
  /** The device is gone for good. */
  logOut(): Promise<void>;
  /** The name a room's member shows, if the client knows it. */
  displayName(roomId: string, userId: string): string | undefined;
}
