// One call of the headless client: `m.call.*` version 1 as Element sends and reads it.
// Rooms and login are for caller.ts, media for audio-peer.ts.
import { randomInt } from "node:crypto";
import type { Heard } from "../audio/goertzel.ts";
import { AudioPeer, type IceCandidate } from "./audio-peer.ts";
import { readAnswer, type Direction } from "./browser-description.ts";
import type { IceGate } from "./ice-gate.ts";
import { isJson, text, type ClientApi, type Json } from "./client-api.ts";
import type { RoomEvent } from "./sync-loop.ts";

/** What happened in a call, in order; `atMs` since the call was placed. */
export type CallFact = { readonly atMs: number } & (
  | { readonly kind: "found"; readonly user: string }
  | { readonly kind: "room"; readonly roomId: string; readonly made: boolean }
  | { readonly kind: "invited" }
  | { readonly kind: "ghost joined" }
  | { readonly kind: "answered" }
  /** ICE and DTLS are up. */
  | { readonly kind: "connected" }
  | { readonly kind: "renegotiated"; readonly by: "caller" | "bridge"; readonly direction: Direction }
  | { readonly kind: "notice"; readonly text: string }
  | { readonly kind: "ended"; readonly end: CallEnd }
);

export interface CallEnd {
  readonly by: "caller" | "bridge";
  readonly how: "rejected" | "hung up" | "invite timeout" | "media failed";
  readonly reason: string | undefined;
}

export interface HeadlessCall {
  /** The ghost. */
  readonly user: string;
  readonly roomId: string;
  readonly matrixCallId: string;
  readonly state: "invited" | "connecting" | "connected" | "ended";
  readonly end: CallEnd | undefined;
  readonly facts: readonly CallFact[];
  /** Plain messages of the ghost or the bot in the room, since the call was placed. */
  readonly notices: readonly string[];
  readonly codec: "PCMU" | "PCMA" | undefined;
  /** Which tone the last `lastMs` held (default 1,000, up to 4,000). */
  heard(lastMs?: number, frequencies?: readonly number[]): Heard;
  /** Audio received and decoded so far. */
  readonly heardMs: number;
  readonly rtp: {
    readonly received: number;
    readonly sent: number;
    readonly lost: number;
    readonly ssrcs: readonly number[];
    readonly strangers: number;
    readonly rtcp: number;
  };
  /** Keys of 160 ms with 100 ms between; resolves when they are out. */
  dtmf(digits: string): Promise<void>;
  /** Resolves when the answer to the new offer is there. */
  hold(): Promise<void>;
  resume(): Promise<void>;
  hangup(): Promise<void>;
  /** Looks now and at each change until there is something other than undefined or false; 10 s by default. */
  until<Found>(look: (call: HeadlessCall) => Found | undefined | false, timeoutMs?: number): Promise<Found>;
}

export interface CallOptions {
  readonly api: ClientApi;
  readonly user: string;
  readonly roomId: string;
  readonly placedAtMs: number;
  readonly lifetimeMs: number;
  readonly toneHz: number;
  readonly gate: IceGate;
  readonly tell: (fact: CallFact) => void;
}

/** A fact without its time. */
export type CallNews = CallFact extends infer Fact ? (Fact extends CallFact ? Omit<Fact, "atMs"> : never) : never;

const CAPABILITIES = { "m.call.transferee": false, "m.call.dtmf": false };
const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

export class Call implements HeadlessCall {
  readonly user: string;
  readonly roomId: string;
  readonly matrixCallId: string;
  readonly facts: CallFact[] = [];
  readonly notices: string[] = [];
  state: HeadlessCall["state"] = "invited";
  end: CallEnd | undefined;
  readonly #options: CallOptions;
  readonly #peer: AudioPeer;
  readonly #watchers = new Set<() => void>();
  readonly #candidates: IceCandidate[] = [];
  #gathered = false;
  #inviteSent = false;
  #party: string | undefined;
  #deadline: NodeJS.Timeout | undefined;
  /** Sends one after the other, as a client does: an answer never overtakes its candidates. */
  #sending: Promise<unknown> = Promise.resolve();

  constructor(options: CallOptions) {
    this.#options = options;
    this.user = options.user;
    this.roomId = options.roomId;
    this.matrixCallId = `${Date.now()}${Array.from({ length: 16 }, () => ALPHANUMERIC[randomInt(62)]).join("")}`;
    this.#peer = new AudioPeer(options, {
      candidate: (candidate) => {
        if (candidate === undefined) this.#gathered = true;
        else this.#candidates.push(candidate);
        this.#sendCandidates();
      },
      connected: () => {
        if (this.state !== "connecting") return;
        this.state = "connected";
        this.tell({ kind: "connected" });
      },
      gone: () => {
        if (this.state === "connected" || this.state === "connecting") void this.#leave("ice_failed", "media failed");
      },
      changed: () => this.#changed(),
    });
  }

  get codec(): HeadlessCall["codec"] {
    return this.#peer.codec;
  }

  get heardMs(): number {
    return this.#peer.reception.heardMs;
  }

  heard(lastMs?: number, frequencies?: readonly number[]): Heard {
    return this.#peer.reception.heard(lastMs, frequencies);
  }

  get rtp(): HeadlessCall["rtp"] {
    const { packets, lost, ssrcs, strangers } = this.#peer.reception;
    const { packetsSent, rtcpReceived } = this.#peer;
    return { received: packets, sent: packetsSent, lost, ssrcs, strangers, rtcp: rtcpReceived };
  }

  /** Sends the invite, then the candidates as they are found. Throws ClientApiError. */
  async invite(): Promise<void> {
    const { lifetimeMs } = this.#options;
    const sdp = this.#peer.offer("sendrecv");
    const content = { lifetime: lifetimeMs, offer: { type: "offer", sdp }, ...this.#media() };
    this.#deadline = setTimeout(() => void this.#leave("invite_timeout", "invite timeout"), lifetimeMs);
    await this.#send("m.call.invite", content);
    this.#inviteSent = true;
    this.tell({ kind: "invited" });
    this.#sendCandidates();
  }

  /** An event of the call's room that is not our own device's. */
  receive(event: RoomEvent): void {
    const { type, content, sender } = event;
    if (type === "m.room.member" && event.stateKey === this.user && content["membership"] === "join") {
      this.tell({ kind: "ghost joined" });
    }
    if (type === "m.room.message" && sender !== this.#options.api.userId) {
      const body = text(content["body"]) ?? "";
      this.notices.push(body);
      this.tell({ kind: "notice", text: body });
    }
    if (content["call_id"] !== this.matrixCallId || this.state === "ended") return;
    if (content["party_id"] === this.#options.api.deviceId && sender === this.#options.api.userId) return;
    const party = text(content["party_id"]);
    // Once answered, only the party that answered is listened to.
    if (this.#party !== undefined && party !== this.#party) return;
    if (type === "m.call.answer") this.#receiveAnswer(content, party);
    else if (type === "m.call.negotiate") this.#receiveNegotiation(content);
    else if (type === "m.call.reject" && this.state === "invited") {
      this.#finish({ by: "bridge", how: "rejected", reason: text(content["reason"]) });
    } else if (type === "m.call.hangup" && this.#party !== undefined) {
      // Before the answer Element does not listen to a hang-up, so neither do we.
      this.#finish({ by: "bridge", how: "hung up", reason: text(content["reason"]) });
    }
  }

  dtmf(digits: string): Promise<void> {
    return this.#peer.press(digits);
  }

  hold(): Promise<void> {
    return this.#renegotiate("sendonly");
  }

  resume(): Promise<void> {
    return this.#renegotiate("sendrecv");
  }

  async hangup(): Promise<void> {
    if (this.state === "ended") return;
    // Taken back before the answer, Element gives no reason.
    await this.#leave(this.state === "invited" ? undefined : "user_hangup", "hung up");
  }

  until<Found>(look: (call: HeadlessCall) => Found | undefined | false, timeoutMs = 10_000): Promise<Found> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        this.#watchers.delete(watch);
        clearTimeout(timer);
        settle();
      };
      const watch = (): void => {
        const found = look(this);
        if (found !== undefined && found !== false) finish(() => resolve(found));
      };
      const timer = setTimeout(() => {
        const what = this.facts.map((fact) => fact.kind).join(", ");
        finish(() => reject(new Error(`nothing of the kind in ${timeoutMs} ms; so far: ${what || "nothing"}`)));
      }, timeoutMs);
      this.#watchers.add(watch);
      watch();
    });
  }

  tell(news: CallNews): void {
    const fact = { ...news, atMs: Math.round(performance.now() - this.#options.placedAtMs) };
    this.facts.push(fact);
    this.#options.tell(fact);
    this.#changed();
  }

  #receiveAnswer(content: Json, party: string | undefined): void {
    if (this.state !== "invited") return;
    clearTimeout(this.#deadline);
    this.#party = party;
    this.state = "connecting";
    this.tell({ kind: "answered" });
    const sdp = isJson(content["answer"]) ? text(content["answer"]["sdp"]) : undefined;
    if (sdp === undefined || !this.#peer.accept(sdp)) {
      void this.#leave("user_media_failed", "media failed");
      return;
    }
    if (party !== undefined) void this.#send("m.call.select_answer", { selected_party_id: party });
  }

  #receiveNegotiation(content: Json): void {
    const description = isJson(content["description"]) ? content["description"] : {};
    const sdp = text(description["sdp"]) ?? "";
    if (description["type"] === "answer") {
      const direction = readAnswer(sdp)?.direction;
      if (direction !== undefined && this.#peer.accept(sdp))
        this.tell({ kind: "renegotiated", by: "caller", direction });
      return;
    }
    const answer = this.#peer.answer(sdp);
    if (answer === undefined) return;
    const reply = {
      description: { type: "answer", sdp: answer.sdp },
      lifetime: this.#options.lifetimeMs,
      ...this.#media(),
    };
    void this.#send("m.call.negotiate", reply);
    this.tell({ kind: "renegotiated", by: "bridge", direction: answer.theirs });
  }

  async #renegotiate(direction: Direction): Promise<void> {
    const before = this.facts.length;
    const description = { type: "offer", sdp: this.#peer.offer(direction) };
    await this.#send("m.call.negotiate", { description, lifetime: this.#options.lifetimeMs, ...this.#media() });
    await this.until(({ facts }) =>
      facts.slice(before).find(({ kind }) => kind === "renegotiated" || kind === "ended"),
    );
  }

  #media(): Json {
    const stream = { purpose: "m.usermedia", audio_muted: false, video_muted: true };
    return { capabilities: CAPABILITIES, sdp_stream_metadata: { [this.#peer.streamId]: stream } };
  }

  /** The end marker is never sent alone: Element does not either. */
  #sendCandidates(): void {
    if (!this.#inviteSent || this.state === "ended" || this.#candidates.length === 0) return;
    const candidates: (IceCandidate | { candidate: "" })[] = this.#candidates.splice(0);
    if (this.#gathered) candidates.push({ candidate: "" });
    void this.#send("m.call.candidates", { candidates });
  }

  async #leave(reason: string | undefined, how: CallEnd["how"]): Promise<void> {
    this.#finish({ by: "caller", how, reason });
    await this.#send("m.call.hangup", reason === undefined ? {} : { reason });
  }

  async #send(type: string, content: Json): Promise<void> {
    const { api } = this.#options;
    const whole = { version: "1", call_id: this.matrixCallId, party_id: api.deviceId, ...content };
    const sent = this.#sending.then(() => api.send(this.roomId, type, whole));
    this.#sending = sent.catch(() => undefined);
    if (type === "m.call.invite") {
      await sent;
      return;
    }
    // What cannot be sent any more (a homeserver that went away) ends the call here, as a client would.
    await sent.catch(() => this.#finish({ by: "caller", how: "media failed", reason: "signalling_timeout" }));
  }

  #finish(end: CallEnd): void {
    if (this.state === "ended") return;
    this.state = "ended";
    this.end = end;
    clearTimeout(this.#deadline);
    this.#peer.close();
    this.tell({ kind: "ended", end });
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
