// A telephone that calls the stack from a peer's socket: its INVITE, and what belongs to it, as raw messages.
import { expect } from "vitest";
import type { SipTransportName, TrunkSettings } from "../../../src/ports/sip.ts";
import { header, type SipMessage, type SipRequest, type SipResponse } from "../../../src/sip/wire/message.ts";
import { formatUri } from "../../../src/core/address/uri.ts";
import type { Peer, PeerOptions, Received } from "./peer.ts";
import { rig, type Rig } from "./rig.ts";
import { OFFER, type StackOptions } from "./stack.ts";

export interface InviteText {
  readonly uri?: string;
  readonly from?: string;
  readonly to?: string;
  /** Lines besides those that every INVITE has. */
  readonly headers?: readonly string[];
  /** `null`: an INVITE without an offer. */
  readonly sdp?: string | null;
  readonly contentType?: string;
  readonly contact?: string;
  readonly branch?: string;
  readonly sipCallId?: string;
  readonly cseq?: number;
}

let calls = 0;

export class Caller {
  readonly peer: Peer;
  readonly #send: (bytes: Buffer) => void;

  constructor(peer: Peer, send: (bytes: Buffer) => void) {
    this.peer = peer;
    this.#send = send;
  }

  send(text: string | Buffer): void {
    this.#send(Buffer.from(text));
  }

  /** A new INVITE, on its way. */
  invite(parts: InviteText = {}): PlacedCall {
    const placed = this.prepare(parts);
    this.send(placed.text);
    return placed;
  }

  prepare(parts: InviteText = {}): PlacedCall {
    calls += 1;
    return new PlacedCall(this, `call-${calls}`, parts);
  }
}

export class PlacedCall {
  readonly sipCallId: string;
  readonly branch: string;
  readonly text: string;
  readonly #caller: Caller;
  readonly #uri: string;
  readonly #from: string;
  readonly #to: string;
  readonly #cseq: number;

  constructor(caller: Caller, id: string, parts: InviteText) {
    this.#caller = caller;
    this.sipCallId = parts.sipCallId ?? id;
    this.branch = parts.branch ?? `z9hG4bK-${id}`;
    this.#uri = parts.uri ?? "sip:+4930555@us.example";
    this.#from = parts.from ?? `<sip:+4940777@gw.example>;tag=from-${id}`;
    this.#to = parts.to ?? "<sip:+4930555@us.example>";
    this.#cseq = parts.cseq ?? 1;
    const { headers = [], sdp = OFFER, contentType = "application/sdp" } = parts;
    const lines = [parts.contact ?? String(caller.peer.contact), ...headers];
    this.text =
      sdp === null
        ? this.request("INVITE", this.#to, { lines })
        : this.request("INVITE", this.#to, { lines: [...lines, `Content-Type: ${contentType}`], body: sdp });
  }

  get #peer(): Peer {
    return this.#caller.peer;
  }

  request(
    method: string,
    to: string,
    more: { cseq?: number; branch?: string; uri?: string; lines?: readonly string[]; body?: string } = {},
  ): string {
    const { cseq = this.#cseq, branch = this.branch, uri = this.#uri, lines = [], body = "" } = more;
    const head = [
      `${method} ${uri} SIP/2.0`,
      String(this.#peer.via(branch)),
      "Max-Forwards: 70",
      `From: ${this.#from}`,
      `To: ${to}`,
      `Call-ID: ${this.sipCallId}`,
      `CSeq: ${cseq} ${method}`,
      ...lines,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    return `${head.join("\r\n")}\r\n\r\n${body}`;
  }

  again(): void {
    this.#caller.send(this.text);
  }

  /** The next response to it with that status, or of that class. */
  response(status: number, method = "INVITE"): Promise<Received<SipResponse>> {
    return this.#peer.next(
      (message): message is SipResponse =>
        this.owns(message) && message.cseq.method === method && message.statusCode === status,
    );
  }

  owns(message: SipMessage): message is SipResponse {
    return message.kind === "response" && message.sipCallId === this.sipCallId;
  }

  /** Statuses of all responses to its INVITE so far, repetitions included. */
  get statuses(): readonly number[] {
    return this.#peer.log.flatMap(({ message }) =>
      this.owns(message) && message.cseq.method === "INVITE" ? [message.statusCode] : [],
    );
  }

  /** The next request of the stack in its dialog. */
  asked(method: string): Promise<Received<SipRequest>> {
    return this.#peer.next(
      (message): message is SipRequest =>
        message.kind === "request" && message.method === method && message.sipCallId === this.sipCallId,
    );
  }

  cancel(...lines: readonly string[]): void {
    this.#caller.send(this.request("CANCEL", this.#to, { lines }));
  }

  /** To a 2xx: a request of its own. To a refusal: hop by hop. */
  ack(response: Received<SipResponse>, sdp?: string): void {
    const to = header(response.message, "To") ?? "";
    const refused = response.message.statusCode >= 300;
    const body = sdp === undefined ? {} : { body: sdp, lines: ["Content-Type: application/sdp"] };
    const place = refused ? {} : { branch: `${this.branch}-ack`, uri: targetOf(response) };
    this.#caller.send(this.request("ACK", to, { ...place, ...body }));
  }

  /** In the dialog that a response made. */
  inDialog(
    response: Received<SipResponse>,
    method: string,
    cseq: number,
    more: { lines?: readonly string[]; body?: string } = {},
  ): void {
    const to = header(response.message, "To") ?? "";
    const place = { cseq, branch: `${this.branch}-${cseq}`, uri: targetOf(response) };
    this.#caller.send(this.request(method, to, { ...place, ...more }));
  }

  prack(response: Received<SipResponse>, cseq: number, sequence = header(response.message, "RSeq")): void {
    this.inDialog(response, "PRACK", cseq, { lines: [`RAck: ${sequence} ${this.#cseq} INVITE`] });
  }
}

function targetOf({ message }: Received<SipResponse>): string {
  const contact = message.contacts === "*" ? undefined : message.contacts[0];
  return contact === undefined ? "sip:nowhere.invalid" : formatUri(contact.uri);
}

export interface CallerRig extends Rig {
  readonly caller: Caller;
}

/** A peer that may call a stack, over the way that the stack's OPTIONS took. */
export async function callerRig(
  transport: SipTransportName = "udp",
  settings: Partial<TrunkSettings> = {},
  more: StackOptions & { peer?: PeerOptions } = {},
): Promise<CallerRig> {
  const { peer: peerOptions, ...others } = more;
  const options = { optionsIntervalMs: 3_600_000, ...settings };
  const { peer, stack } = await rig(transport, options, { ...others, peer: { options: 200, ...peerOptions } });
  return { peer, stack, caller: await callerAt(peer) };
}

/** A caller at a peer that a stack has asked for OPTIONS. */
export async function callerAt(peer: Peer): Promise<Caller> {
  await expect.poll(() => peer.log.length, { interval: 1 }).toBeGreaterThan(0);
  const [asked] = peer.log;
  if (asked === undefined) throw new Error("no OPTIONS");
  return new Caller(peer, (bytes) => asked.flow.send(bytes));
}
