// The leg towards a WebRTC client: its transport, the next one while ICE restarts, what it was offered before there is a
// transport (reserved-end.ts), and the candidates that come whenever they like.
// An ICE restart takes a new transport with a new certificate (RFC 8842 s4), which the client takes for a new DTLS
// association; the old one carries on until the new one is up.
import type { IceCandidate } from "../../../core/call/model/fact.ts";
import { advertisedCandidates, isUsable, parseCandidate, type Candidate } from "../../../core/sdp/candidate.ts";
import type { Setup } from "../../../core/sdp/description.ts";
import { isSameEnd, type WebRtcEnd } from "../../../core/sdp/exchange/requirement.ts";
import type { LocalClient, RemoteClient } from "../../../ports/media-engine.ts";
import { MediaError } from "../../../ports/media.ts";
import { freePort } from "../base/held-port.ts";
import type { Gone, Leg, LegReports } from "../base/leg.ts";
import { isRtcp } from "../rtp/rtp-packet.ts";
import {
  ClientTransport,
  type Identity,
  type LocalEnd,
  type TransportOptions,
  type TransportReports,
} from "./client-transport.ts";
import { ReservedEnd } from "./reserved-end.ts";

/** Candidates of one ICE generation: enough for any client, not for a scan of our network. */
const maxCandidates = 100;

interface Association {
  readonly transport: ClientTransport;
  readonly local: LocalEnd;
}

/**
 * ```
 * new --our offer--> reserved --its answer--> up
 *  |--its offer, while the telephone rings--> prepared --our answer--> up
 *  '--our answer--> up --ICE restart--> moving --the new one is up, either is gone--> up
 * ```
 */
type State =
  | { readonly phase: "new" }
  /** Offered to the client of a new call; its answer makes it a transport. */
  | { readonly phase: "reserved"; readonly end: ReservedEnd }
  /** Gathering; nobody has been told of it yet. */
  | {
      readonly phase: "prepared";
      readonly remote: WebRtcEnd;
      readonly association: Promise<Association | undefined>;
    }
  | { readonly phase: "up"; readonly current: Association }
  | { readonly phase: "moving"; readonly current: Association; readonly next: Association };

export class ClientLeg implements Leg {
  readonly #options: TransportOptions;
  readonly #reports: LegReports;
  #state: State = { phase: "new" };
  /** Those for which there is no transport yet. */
  #early: Candidate[] = [];
  #candidateCount = 0;
  #wasConnected = false;

  constructor(options: TransportOptions, reports: LegReports) {
    this.#options = options;
    this.#reports = reports;
  }

  get isConnected(): boolean {
    return this.#current?.transport.isOpen ?? false;
  }

  /** A transport that may still come up, as after an ICE restart. */
  get isComing(): boolean {
    const { transport } = this.#next ?? this.#current ?? {};
    return transport !== undefined && !transport.isOver;
  }

  /** Our end for the answer to the client's offer: the present one, or a new one where it restarts ICE. Throws MediaError. */
  async accept(remote: RemoteClient): Promise<LocalClient> {
    // An offer of ours that it has not answered is void.
    if (this.#state.phase === "reserved") this.#drop();
    return this.#told(await this.#accept(remote));
  }

  /** Our end for an offer to the client, a new call's or one inside the call. Throws MediaError. */
  async offered(): Promise<LocalClient> {
    const latest = this.#next ?? this.#current;
    // Every offer leaves the DTLS role open (RFC 8842 s5.2), also where it has long been settled.
    if (latest !== undefined) return this.#told({ ...latest.local, setup: "actpass" });
    if (this.#state.phase === "reserved") return this.#told(this.#state.end.local);
    this.#drop();
    const end = await this.#reserve();
    this.#state = { phase: "reserved", end };
    return this.#told(end.local);
  }

  /** The client has answered the first offer of ours. Throws MediaError. */
  complete(remote: RemoteClient): void {
    if (this.#state.phase !== "reserved") throw new MediaError("engine", "the client has not been offered anything");
    const { end } = this.#state;
    const transport = this.#open(end.identity);
    this.#drop();
    try {
      transport.complete(remote);
    } catch (cause) {
      transport.close();
      throw new MediaError("engine", "no transport for the client", { cause });
    }
    this.#install({ transport, local: { ...end.local, setup: opposite(remote.setup) } });
    this.#take(remote);
  }

  async #accept(remote: RemoteClient): Promise<LocalEnd> {
    const latest = this.#next ?? this.#current;
    if (latest !== undefined && !latest.transport.isOver && isSameEnd(latest.transport.remote, remote)) {
      this.#take(remote);
      return latest.local;
    }
    const state = this.#state;
    const isPrepared = state.phase === "prepared" && isSameEnd(state.remote, remote);
    const prepared = isPrepared ? await state.association : undefined;
    if (prepared !== undefined && !prepared.transport.isOver) {
      this.#install(prepared);
      this.#take(remote);
      return prepared.local;
    }
    this.#drop();
    // DTLS roles stay for the life of the call, also over a new association (RFC 8842 s5.5).
    const setup = remote.setup === "actpass" && latest !== undefined ? opposite(latest.local.setup) : remote.setup;
    const fresh = await this.#associate({ ...remote, setup });
    this.#install(fresh);
    this.#take(remote);
    return fresh.local;
  }

  /**
   * Begins to gather candidates for the answer to a new call's offer, where that takes time. The client's candidates are
   * held back until then: ICE gives up 39.5 s after it has begun (RFC 8863), and telephones ring for longer. If they do,
   * the answer gathers anew.
   */
  prepare(remote: RemoteClient): void {
    const state = this.#state;
    if ((state.phase !== "new" && state.phase !== "prepared") || this.#options.iceServers.length === 0) return;
    if (state.phase === "prepared" && isSameEnd(state.remote, remote)) return;
    this.#drop();
    this.#state = { phase: "prepared", remote, association: this.#associate(remote).catch(() => undefined) };
  }

  addCandidates(candidates: readonly IceCandidate[]): void {
    let ignored = 0;
    for (const { candidate } of candidates) {
      // The empty one is the end marker (RFC 8840), which we do not wait for.
      if (candidate === "") continue;
      const parsed = parseCandidate(candidate);
      this.#candidateCount += 1;
      const isTried =
        parsed !== undefined && isUsable(parsed) && this.#candidateCount <= maxCandidates && this.#add(parsed);
      if (!isTried) ignored += 1;
    }
    // TCP, names, nonsense, or too many.
    if (ignored > 0) this.#reports.log("debug", "ignored candidates", { count: ignored });
  }

  sendRtp(packet: Buffer): boolean {
    return this.#current?.transport.send(packet) ?? false;
  }

  sendRtcp(packet: Buffer): void {
    this.#current?.transport.send(packet);
  }

  async close(): Promise<void> {
    this.#current?.transport.close();
    this.#next?.transport.close();
    this.#drop();
  }

  get #current(): Association | undefined {
    return this.#state.phase === "up" || this.#state.phase === "moving" ? this.#state.current : undefined;
  }

  get #next(): Association | undefined {
    return this.#state.phase === "moving" ? this.#state.next : undefined;
  }

  async #reserve(): Promise<ReservedEnd> {
    try {
      return await ReservedEnd.open(this.#options.ice, this.#options.iceServers);
    } catch (cause) {
      throw new MediaError("engine", "no port for the client", { cause });
    }
  }

  #told(local: LocalEnd): LocalClient {
    const { ice, ssrc, cname } = this.#options;
    return { ...local, candidates: advertisedCandidates(local.candidates, ice.advertisedHosts), ssrc, cname };
  }

  /** Lets go of what the client has not heard of, or not answered. */
  #drop(): void {
    const state = this.#state;
    if (state.phase === "reserved") state.end.release();
    else if (state.phase === "prepared") void state.association.then((association) => association?.transport.close());
    else return;
    this.#state = { phase: "new" };
  }

  async #associate(remote: WebRtcEnd): Promise<Association> {
    const port = await freePort(this.#options.ice).catch((cause: unknown) => {
      throw new MediaError("engine", "no port for the client", { cause });
    });
    const transport = this.#open(port);
    try {
      return { transport, local: await transport.accept(remote) };
    } catch (cause) {
      transport.close();
      throw new MediaError("engine", "no transport for the client", { cause });
    }
  }

  #open(of: Identity | number | undefined): ClientTransport {
    const reports: TransportReports = {
      connected: (): void => this.#connected(transport),
      gone: (how): void => this.#gone(transport, how),
      packet: (packet: Buffer): void => {
        if (isRtcp(packet)) this.#reports.rtcp(packet);
        else this.#reports.rtp(packet);
      },
    };
    const transport: ClientTransport = new ClientTransport(this.#options, reports, of);
    return transport;
  }

  #install(fresh: Association): void {
    const current = this.#current;
    if (current !== undefined) this.#candidateCount = 0;
    this.#next?.transport.close();
    if (current?.transport.isOpen === true) this.#state = { phase: "moving", current, next: fresh };
    else {
      current?.transport.close();
      this.#state = { phase: "up", current: fresh };
    }
  }

  #connected(transport: ClientTransport): void {
    const state = this.#state;
    if (state.phase === "moving" && state.next.transport === transport) {
      state.current.transport.close();
      this.#state = { phase: "up", current: state.next };
    }
    this.#wasConnected = true;
    this.#reports.connected();
  }

  #gone(transport: ClientTransport, how: Gone): void {
    const [current, next] = [this.#current, this.#next];
    if (current === undefined) return;
    if (next?.transport === transport) this.#state = { phase: "up", current };
    else if (current.transport !== transport) return;
    else if (next !== undefined) {
      this.#state = { phase: "up", current: next };
      return;
    }
    if (!current.transport.isOver) return;
    const what = how === "closed" ? "client closed its connection" : "connection to the client was lost";
    this.#reports.log("info", what, {});
    if (this.#wasConnected) this.#reports.gone(how);
    else this.#reports.failed("ICE or DTLS failed");
  }

  #take({ candidates }: RemoteClient): void {
    const waiting = this.#early;
    this.#early = [];
    for (const candidate of [...candidates.filter(isUsable), ...waiting]) this.#add(candidate);
  }

  /** Each candidate belongs to one ICE generation; those of a generation to come wait for it. False: not taken. */
  #add(candidate: Candidate): boolean {
    const transports = [this.#next?.transport, this.#current?.transport];
    const transport = transports.find(
      (each) => each?.remote !== undefined && (candidate.ufrag ?? each.remote.ice.ufrag) === each.remote.ice.ufrag,
    );
    if (transport !== undefined) return transport.addCandidate(candidate);
    this.#early.push(candidate);
    return true;
  }
}

function opposite(setup: Setup): Setup {
  return setup === "active" ? "passive" : "active";
}
