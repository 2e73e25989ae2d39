// One member of a room of the fake media server: its signalling, and its peer connection, by node-datachannel as well.
import { randomBytes, randomInt } from "node:crypto";
import {
  Codec,
  DisconnectReason,
  JoinResponse,
  LeaveRequest,
  LeaveRequest_Action,
  MediaSectionsRequirement,
  ParticipantInfo,
  ParticipantInfo_State,
  ParticipantUpdate,
  Pong,
  SessionDescription,
  SignalRequest,
  SignalResponse,
  TrackInfo,
  TrackPublishedResponse,
  TrackType,
  type AddTrackRequest,
} from "@livekit/protocol";
import nodeDataChannel, { type PeerConnection, type Track } from "node-datachannel";
import type { WebSocket } from "ws";

/** Where the member is heard by another one. */
interface Section {
  readonly track: Track;
  readonly ssrc: number;
  speaker: SfuMember | undefined;
}

/** The library must not see its objects collected while its threads still use them. */
const kept: unknown[] = [];
const sid = (prefix: string): string => `${prefix}_${randomBytes(6).toString("hex")}`;

export class SfuMember {
  readonly identity: string;
  readonly #sid = sid("PA");
  readonly #room: Set<SfuMember>;
  readonly #socket: WebSocket;
  readonly #spoil: (sdp: string) => string;
  readonly #connection: PeerConnection;
  readonly #sections = new Map<string, Section>();
  #isAnswered = false;
  /** Candidates of the member that came before it was answered. */
  early = 0;
  #spoken: { readonly sid: string; readonly request: AddTrackRequest } | undefined;
  #microphone: Track | undefined;
  /** The payload types of what it says. */
  readonly #said: Set<number>;

  constructor(
    identity: string,
    socket: WebSocket,
    room: Set<SfuMember>,
    said: Set<number>,
    spoil: (sdp: string) => string,
  ) {
    this.identity = identity;
    this.#said = said;
    this.#spoil = spoil;
    this.#socket = socket;
    this.#room = room;
    this.#connection = new nodeDataChannel.PeerConnection("sfu", {
      iceServers: [],
      bindAddress: "127.0.0.1",
      disableAutoNegotiation: true,
      forceMediaTransport: true,
    });
    kept.push(this.#connection);
    socket.on("message", (data: Buffer) => this.#hear(SignalRequest.fromBinary(data).message));
    socket.on("close", () => this.#leave());
    socket.on("error", () => undefined);
  }

  join(codecs: readonly string[]): void {
    const participant = this.#info();
    const otherParticipants = this.#others().map((member) => member.#info());
    const [pingInterval, pingTimeout] = [1, 10];
    this.#say({
      case: "join",
      value: new JoinResponse({
        participant,
        otherParticipants,
        pingInterval,
        pingTimeout,
        enabledPublishCodecs: codecs.map((codec) => new Codec({ mime: `audio/${codec}` })),
        serverVersion: "fake",
      }),
    });
    this.#tellOthers();
  }

  remove(reason: keyof typeof DisconnectReason): void {
    const action = LeaveRequest_Action.DISCONNECT;
    this.#say({ case: "leave", value: new LeaveRequest({ reason: DisconnectReason[reason], action }) });
    this.#socket.close();
    this.#leave();
  }

  /** The connections are gone without a word. */
  cut(): void {
    this.#room.delete(this);
    this.#socket.terminate();
    this.#connection.close();
  }

  #hear(message: SignalRequest["message"]): void {
    switch (message.case) {
      case "addTrack": {
        const track = { sid: sid("TR"), request: message.value };
        this.#spoken = track;
        const { cid } = message.value;
        this.#say({ case: "trackPublished", value: new TrackPublishedResponse({ cid, track: this.#trackInfo() }) });
        this.#tellOthers();
        for (const other of this.#others()) other.#subscribe();
        return;
      }
      case "trickle":
        if (!this.#isAnswered) this.early += 1;
        return;
      case "offer":
        this.early += message.value.sdp.match(/^a=candidate/gm)?.length ?? 0;
        void this.#answer(message.value);
        return;
      case "pingReq":
        this.#say({ case: "pongResp", value: new Pong({ lastPingTimestamp: message.value.timestamp }) });
        return;
      case "leave":
        this.#socket.close();
        this.#leave();
        return;
      default:
    }
  }

  async #answer({ id, sdp }: SessionDescription): Promise<void> {
    for (const section of sdp.split("\r\nm=audio ").slice(1)) this.#open(section);
    const gathered = new Promise<void>((resolve) => {
      if (this.#connection.gatheringState() === "complete") resolve();
      this.#connection.onGatheringStateChange((state) => {
        if (state === "complete") resolve();
      });
    });
    this.#connection.setRemoteDescription(sdp, "offer");
    // It has ended meanwhile. The library ends the process where there is nothing to answer.
    if (this.#connection.signalingState() !== "have-remote-offer") return;
    this.#connection.setLocalDescription("answer");
    await gathered;
    this.#place();
    const midToTrackId: Record<string, string> = {};
    for (const [mid, { speaker }] of this.#sections) {
      if (speaker !== undefined) midToTrackId[mid] = speaker.#trackInfo().sid;
    }
    const answer = this.#spoil(this.#connection.localDescription()?.sdp ?? "");
    this.#isAnswered = true;
    this.#say({
      case: "answer",
      value: new SessionDescription({ type: "answer", sdp: answer, id, midToTrackId }),
    });
  }

  /** A section of the member's offer that is new: where it speaks, or where it wants to hear. */
  #open(section: string): void {
    const mid = /^a=mid:(\S+)/m.exec(section)?.[1] ?? "";
    if (this.#sections.has(mid) || this.#microphone?.mid() === mid) return;
    const isHeard = /^a=recvonly/m.test(section);
    const audio = new nodeDataChannel.Audio(mid, isHeard ? "SendOnly" : "RecvOnly");
    for (const [, number, name = ""] of section.matchAll(/^a=rtpmap:(\d+) (\w+)/gm)) {
      if (name === "opus") audio.addOpusCodec(Number(number), "minptime=10;useinbandfec=1");
      else audio.addAudioCodec(Number(number), name);
    }
    const ssrc = randomInt(1, 0xffff_ffff);
    if (isHeard) audio.addSSRC(ssrc, "sfu", "sfu", mid);
    const track = this.#connection.addTrack(audio);
    kept.push(track);
    if (isHeard) this.#sections.set(mid, { track, ssrc, speaker: undefined });
    else {
      this.#microphone = track;
      track.onMessage((packet) => this.#spread(packet));
    }
  }

  #spread(packet: Buffer): void {
    const type = packet[1] ?? 0;
    if (type >= 192 && type <= 223) return;
    this.#said.add(type & 0x7f);
    for (const other of this.#others()) other.#pass(this, packet);
  }

  #pass(from: SfuMember, packet: Buffer): void {
    const section = [...this.#sections.values()].find(({ speaker }) => speaker === from);
    if (section === undefined || !section.track.isOpen()) return;
    const copy = Buffer.from(packet);
    copy.writeUInt32BE(section.ssrc, 8);
    try {
      section.track.sendMessageBinary(copy);
    } catch {
      // It was closed on the library's own thread, and the callback of a packet must not throw into that.
    }
  }

  /** Somebody new speaks: the member has to offer, with another section if none is left. */
  #subscribe(): void {
    if (this.#sections.size === 0) return;
    const isRoom = this.#free().length >= this.#unheard().length;
    const numAudios = isRoom ? 0 : this.#unheard().length - this.#free().length;
    this.#say({ case: "mediaSectionsRequirement", value: new MediaSectionsRequirement({ numAudios }) });
  }

  #place(): void {
    const free = this.#free();
    for (const [index, speaker] of this.#unheard().entries()) {
      const section = free[index];
      if (section !== undefined) section.speaker = speaker;
    }
    if (this.#unheard().length > 0) this.#subscribe();
  }

  #free(): readonly Section[] {
    return [...this.#sections.values()].filter(({ speaker }) => speaker === undefined || !this.#room.has(speaker));
  }

  #unheard(): readonly SfuMember[] {
    const heard = new Set([...this.#sections.values()].map(({ speaker }) => speaker));
    return this.#others().filter((other) => other.#spoken !== undefined && !heard.has(other));
  }

  #leave(): void {
    if (!this.#room.delete(this)) return;
    this.#connection.close();
    for (const other of this.#others()) other.#say(this.#update(ParticipantInfo_State.DISCONNECTED));
  }

  #tellOthers(): void {
    for (const other of this.#others()) other.#say(this.#update(ParticipantInfo_State.ACTIVE));
  }

  #update(state: ParticipantInfo_State): SignalResponse["message"] {
    const participant = this.#info();
    participant.state = state;
    return { case: "update", value: new ParticipantUpdate({ participants: [participant] }) };
  }

  #info(): ParticipantInfo {
    const tracks = this.#spoken === undefined ? [] : [this.#trackInfo()];
    return new ParticipantInfo({
      sid: this.#sid,
      identity: this.identity,
      state: ParticipantInfo_State.ACTIVE,
      tracks,
    });
  }

  #trackInfo(): TrackInfo {
    const { encryption } = this.#spoken?.request ?? {};
    return new TrackInfo({ sid: this.#spoken?.sid ?? "", type: TrackType.AUDIO, ...(encryption && { encryption }) });
  }

  #others(): readonly SfuMember[] {
    return [...this.#room].filter((member) => member !== this);
  }

  #say(message: SignalResponse["message"]): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(new SignalResponse({ message }).toBinary());
  }
}
