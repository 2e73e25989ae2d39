// One call of the headless client: `m.call.*` version 1 as Element sends and reads it.
// Rooms and login are for caller.ts, media for audio-peer.ts.
import { randomInt } from "node:crypto";
import { patienceMs } from "../loopback/patience.ts";
import type { Heard } from "../audio/goertzel.ts";
import { AudioPeer, type IceCandidate } from "./audio-peer.ts";
import { readAnswer, readOffer, type Direction } from "./browser-description.ts";
import type { CallEnd, CallFact, HeadlessCall } from "./call-view.ts";
import type { IceGate } from "./ice-gate.ts";
import { isJson, path, text, type ClientApi, type Json } from "./client-api.ts";
import type { RoomEvent } from "./sync-loop.ts";

export interface CallOptions {
  readonly api: ClientApi;
  readonly user: string;
  readonly roomId: string;
  readonly placedAtMs: number;
  readonly lifetimeMs: number;
  readonly toneHz: number;
  /** A door for the media, when it is wanted. */
  readonly gate: () => Promise<IceGate>;
  readonly tell: (fact: CallFact) => void;
  /** The invite that came; undefined: we call. */
  readonly came?: { readonly matrixCallId: string; readonly party: string | undefined; readonly content: Json };
}

/** A fact without its time. */
export type CallNews = CallFact extends infer Fact ? (Fact extends CallFact ? Omit<Fact, "atMs"> : never) : never;

const CAPABILITIES = { "m.call.transferee": false, "m.call.dtmf": false };
const NOT_HEARD: Heard = { hz: undefined, ratio: 0, levelDb: -Infinity };
const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Epoch and 16 random characters, as Element makes them. */
const newMatrixCallId = (): string =>
  `${Date.now()}${Array.from({ length: 16 }, () => ALPHANUMERIC[randomInt(62)]).join("")}`;

export class Call implements HeadlessCall {
  readonly direction: HeadlessCall["direction"];
  readonly user: string;
  readonly roomId: string;
  readonly matrixCallId: string;
  readonly facts: CallFact[] = [];
  readonly notices: string[] = [];
  state: HeadlessCall["state"];
  end: CallEnd | undefined;
  capabilities: HeadlessCall["capabilities"] = {};
  readonly #options: CallOptions;
  #peer: AudioPeer | undefined;
  readonly #watchers = new Set<() => void>();
  readonly #candidates: IceCandidate[] = [];
  #gathered = false;
  #inviteSent = false;
  /** Whom alone we listen to: the party that answered, or that calls. */
  #party: string | undefined;
  #deadline: NodeJS.Timeout | undefined;
  /** Sends one after the other, as a client does: an answer never overtakes its candidates. */
  #sending: Promise<unknown> = Promise.resolve();

  constructor(options: CallOptions) {
    const { came } = options;
    this.#options = options;
    this.user = options.user;
    this.roomId = options.roomId;
    this.direction = came === undefined ? "out" : "in";
    this.matrixCallId = came?.matrixCallId ?? newMatrixCallId();
    this.state = came === undefined ? "invited" : "ringing";
    this.#party = came?.party;
    this.#takeCapabilities(came?.content ?? {});
    if (came === undefined) return;
    // A client stops ringing by itself when the invite has run out.
    const over: CallEnd = { by: "bridge", how: "invite timeout", reason: undefined };
    this.#deadline = setTimeout(() => this.#finish(over), options.lifetimeMs);
  }

  get codec(): HeadlessCall["codec"] {
    return this.#peer?.codec;
  }

  get heardMs(): number {
    return this.#peer?.reception.heardMs ?? 0;
  }

  get keys(): readonly string[] {
    return this.#peer?.keys ?? [];
  }

  heard(lastMs?: number, frequencies?: readonly number[]): Heard {
    return this.#peer?.reception.heard(lastMs, frequencies) ?? NOT_HEARD;
  }

  get rtp(): HeadlessCall["rtp"] {
    const { packets = 0, lost = 0, ssrcs = [], strangers = 0 } = this.#peer?.reception ?? {};
    const { packetsSent = 0, rtcpReceived = 0 } = this.#peer ?? {};
    return { received: packets, sent: packetsSent, lost, ssrcs, strangers, rtcp: rtcpReceived };
  }

  /** Sends the invite, then the candidates as they are found. Throws ClientApiError. */
  async invite(): Promise<void> {
    const { lifetimeMs } = this.#options;
    const peer = await this.#openPeer("0");
    const sdp = peer.offer("sendrecv");
    const content = { lifetime: lifetimeMs, offer: { type: "offer", sdp }, ...this.#media() };
    this.#deadline = setTimeout(() => void this.#leave("invite_timeout", "invite timeout"), lifetimeMs);
    await this.#send("m.call.invite", content);
    this.#inviteSent = true;
    this.tell({ kind: "invited" });
    this.#sendCandidates();
  }

  async answer(): Promise<void> {
    const offer = this.#options.came?.content["offer"];
    const sdp = isJson(offer) ? (text(offer["sdp"]) ?? "") : "";
    if (this.state !== "ringing") throw new Error(`a call that is ${this.state} cannot be answered`);
    clearTimeout(this.#deadline);
    this.state = "connecting";
    const peer = await this.#openPeer(readOffer(sdp)?.mid ?? "0");
    const answer = await peer.answerFirst(sdp);
    if (this.isOver) return;
    if (answer === undefined) {
      await this.#leave("user_media_failed", "media failed");
      return;
    }
    await this.#send("m.call.answer", { answer: { type: "answer", sdp: answer }, ...this.#media() });
    if (!this.isOver) this.tell({ kind: "answered" });
  }

  async decline(): Promise<void> {
    if (this.state !== "ringing") throw new Error(`a call that is ${this.state} cannot be declined`);
    this.#finish({ by: "client", how: "rejected", reason: undefined });
    await this.#send("m.call.reject", {});
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
    if (content["call_id"] !== this.matrixCallId || this.isOver) return;
    const party = text(content["party_id"]);
    if (sender !== this.user) {
      if (sender !== this.#options.api.userId || party !== this.#options.api.deviceId) this.#receiveFromDevice(type);
      return;
    }
    // Once answered, only the party that answered is listened to.
    if (this.#party !== undefined && party !== this.#party) return;
    switch (type) {
      case "m.call.answer":
        this.#receiveAnswer(content, party);
        return;
      case "m.call.negotiate":
        this.#receiveNegotiation(content);
        return;
      case "m.call.select_answer":
        if (this.direction === "out") return;
        if (content["selected_party_id"] === this.#options.api.deviceId) this.tell({ kind: "selected" });
        else this.#finish({ by: "device", how: "answered elsewhere", reason: undefined });
        return;
      case "m.call.asserted_identity":
      case "org.matrix.call.asserted_identity":
        this.#receiveIdentity(content["asserted_identity"]);
        return;
      case "m.call.reject":
        if (this.state !== "invited") return;
        this.#finish({ by: "bridge", how: "rejected", reason: text(content["reason"]) });
        return;
      case "m.call.hangup":
        // Before the answer Element, which called, does not listen to a hang-up, so neither do we.
        if (this.#party === undefined && this.direction === "out") return;
        this.#finish({ by: "bridge", how: "hung up", reason: text(content["reason"]) });
        return;
      default:
    }
  }

  async dtmf(digits: string): Promise<void> {
    await this.#peer?.press(digits);
  }

  hold(): Promise<void> {
    return this.#renegotiate("sendonly");
  }

  resume(): Promise<void> {
    return this.#renegotiate("sendrecv");
  }

  async transfer(user: string): Promise<void> {
    await this.#replace({ target_user: await this.#shown(user), create_call: newMatrixCallId() });
    this.#finish({ by: "client", how: "transferred", reason: undefined });
  }

  async transferTo(consult: HeadlessCall): Promise<void> {
    if (!(consult instanceof Call)) throw new TypeError("not a call of this client");
    const [transferee, target] = await Promise.all([this.#shown(this.user), this.#shown(consult.user)]);
    const create = newMatrixCallId();
    // As Element orders it: the call that waits for the other first.
    await consult.#replace({ target_user: transferee, await_call: create });
    await this.#replace({ target_user: target, create_call: create });
    for (const call of [this, consult]) call.#finish({ by: "client", how: "transferred", reason: undefined });
  }

  async hangup(): Promise<void> {
    if (this.isOver) return;
    if (this.state === "ringing") {
      await this.decline();
      return;
    }
    // Taken back before the answer, Element gives no reason.
    await this.#leave(this.state === "invited" ? undefined : "user_hangup", "hung up");
  }

  until<Found>(look: (call: HeadlessCall) => Found | undefined | false, timeoutMs = patienceMs): Promise<Found> {
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

  private get isOver(): boolean {
    return this.state === "ended";
  }

  /** Somebody else who was called too: their answer, or their refusal, is ours. */
  #receiveFromDevice(type: string): void {
    if (this.direction === "out" || this.state !== "ringing") return;
    if (type === "m.call.answer") this.#finish({ by: "device", how: "answered elsewhere", reason: undefined });
    if (type === "m.call.reject") this.#finish({ by: "device", how: "declined elsewhere", reason: undefined });
  }

  #receiveIdentity(identity: unknown): void {
    const displayName = isJson(identity) ? text(identity["display_name"]) : undefined;
    const last = this.facts.findLast((fact) => fact.kind === "identified");
    // It comes under two names.
    if (last?.displayName !== displayName || last === undefined) this.tell({ kind: "identified", displayName });
  }

  #takeCapabilities({ capabilities }: Json): void {
    if (isJson(capabilities)) this.capabilities = capabilities;
  }

  async #openPeer(mid: string): Promise<AudioPeer> {
    const { toneHz, gate } = this.#options;
    const peer = new AudioPeer(
      { toneHz, mid, gate: await gate() },
      {
        candidate: (candidate) => {
          // Where we answer they are all in the answer.
          if (this.direction === "in") return;
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
      },
    );
    this.#peer = peer;
    if (this.isOver) peer.close();
    return peer;
  }

  async #shown(user: string): Promise<Json> {
    const profile = await this.#options.api.ask("GET", path`/profile/${user}`);
    const { displayname, avatar_url } = isJson(profile) ? profile : {};
    return { id: user, display_name: displayname, avatar_url };
  }

  async #replace(content: Json): Promise<void> {
    await this.#send("m.call.replaces", { replacement_id: newMatrixCallId(), ...content });
  }

  #receiveAnswer(content: Json, party: string | undefined): void {
    if (this.state !== "invited") return;
    clearTimeout(this.#deadline);
    this.#party = party;
    this.#takeCapabilities(content);
    this.state = "connecting";
    this.tell({ kind: "answered" });
    const sdp = isJson(content["answer"]) ? text(content["answer"]["sdp"]) : undefined;
    if (sdp === undefined || this.#peer?.accept(sdp) !== true) {
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
      if (direction !== undefined && this.#peer?.accept(sdp) === true)
        this.tell({ kind: "renegotiated", by: "client", direction });
      return;
    }
    const answer = this.#peer?.answer(sdp);
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
    if (this.#peer === undefined) throw new Error(`a call that is ${this.state} cannot be held`);
    const description = { type: "offer", sdp: this.#peer.offer(direction) };
    await this.#send("m.call.negotiate", { description, lifetime: this.#options.lifetimeMs, ...this.#media() });
    await this.until(({ facts }) =>
      facts.slice(before).find(({ kind }) => kind === "renegotiated" || kind === "ended"),
    );
  }

  #media(): Json {
    const stream = { purpose: "m.usermedia", audio_muted: false, video_muted: true };
    return { capabilities: CAPABILITIES, sdp_stream_metadata: { [this.#peer?.streamId ?? ""]: stream } };
  }

  /** The end marker is never sent alone: Element does not either. */
  #sendCandidates(): void {
    if (!this.#inviteSent || this.state === "ended" || this.#candidates.length === 0) return;
    const candidates: (IceCandidate | { candidate: "" })[] = this.#candidates.splice(0);
    if (this.#gathered) candidates.push({ candidate: "" });
    void this.#send("m.call.candidates", { candidates });
  }

  async #leave(reason: string | undefined, how: CallEnd["how"]): Promise<void> {
    this.#finish({ by: "client", how, reason });
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
    await sent.catch(() => this.#finish({ by: "client", how: "media failed", reason: "signalling_timeout" }));
  }

  #finish(end: CallEnd): void {
    if (this.state === "ended") return;
    this.state = "ended";
    this.end = end;
    clearTimeout(this.#deadline);
    this.#peer?.close();
    this.tell({ kind: "ended", end });
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
