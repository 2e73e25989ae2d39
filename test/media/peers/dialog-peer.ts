// A trunk's end of one dialog, as strict as the strictest gateway: it checks every description and every packet of ours
// against all that it was told and sent before (RFC 3264 s8, RFC 3550 s5.1).
import { randomBytes } from "node:crypto";
import type { RtpPacket } from "../../../dev/audio/rtp.ts";
import { callId, type CallId } from "../../../src/core/ids.ts";
import { SrtpContext } from "../../../src/media/embedded/trunk/srtp.ts";
import { TrunkPeer } from "./trunk-peer.ts";

const suite = "AES_CM_128_HMAC_SHA1_80";
let count = 0;

interface Said {
  readonly id: string;
  readonly version: number;
  readonly body: string;
}

export class DialogPeer {
  readonly leg: CallId;
  readonly peer: TrunkPeer;
  readonly isSecret: boolean;
  /** What a strict gateway would have stumbled over. */
  readonly faults: string[] = [];
  #said: Said | undefined;
  readonly #numbers = new Map<string, string>();
  #ourKey = randomBytes(30);
  #theirKey = "";

  private constructor(peer: TrunkPeer, isSecret: boolean) {
    this.peer = peer;
    this.isSecret = isSecret;
    count += 1;
    this.leg = callId(`c-dialog-${count}`);
  }

  static async open(hz: number, isSecret: boolean): Promise<DialogPeer> {
    return new DialogPeer(await TrunkPeer.open({ hz, ssrc: 0x4000_0000 + Math.round(hz) }), isSecret);
  }

  /** Takes a description of ours, and speaks to where it says. */
  take(sdp: string): void {
    const [, id = "", version = ""] = /^o=- (\d+) (\d+) /m.exec(sdp) ?? [];
    const said = { id, version: Number(version), body: sdp.replace(/^o=.*\r\n/m, "") };
    const before = this.#said;
    if (before !== undefined && before.id !== id) this.faults.push(`o= id ${before.id} became ${id}`);
    const due =
      before === undefined || before.body === said.body ? (before?.version ?? said.version) : before.version + 1;
    if (said.version !== due) this.faults.push(`o= version ${said.version} instead of ${due}`);
    this.#said = said;
    for (const [, number = "", format = ""] of sdp.matchAll(/^a=rtpmap:(\d+) (\S+)\r$/gm)) {
      const meant = this.#numbers.get(number);
      if (meant !== undefined && meant !== format)
        this.faults.push(`payload type ${number}: ${meant} became ${format}`);
      this.#numbers.set(number, format);
    }
    this.peer.aim(sdp);
    if (this.isSecret) this.#key(sdp);
  }

  sdp(direction = "sendrecv"): string {
    const lines = ["a=rtpmap:96 telephone-event/8000", `a=${direction}`];
    const key = `a=crypto:1 ${suite} inline:${this.#ourKey.toString("base64")}`;
    return this.peer.sdp({
      formats: "0 96",
      protocol: this.isSecret ? "RTP/SAVP" : "RTP/AVP",
      lines: this.isSecret ? [key, ...lines] : lines,
    });
  }

  /** Resolves when so many more packets have arrived. */
  async hears(packets: number): Promise<void> {
    const { ear } = this.peer;
    const due = ear.packets.length + packets;
    await ear.until(() => ear.packets.length >= due);
  }

  /** All faults until now, those of the packets among them. */
  judged(): readonly string[] {
    return [...this.faults, ...faultsOf(this.peer.ear.packets)];
  }

  /** A context lives as long as its key, as in every SRTP stack. */
  #key(sdp: string): void {
    const theirs = /a=crypto:1 \S+ inline:(\S{40})/.exec(sdp)?.[1] ?? "";
    if (theirs === this.#theirKey) return;
    this.#theirKey = theirs;
    const out = new SrtpContext(suite, this.#ourKey);
    const back = new SrtpContext(suite, Buffer.from(theirs, "base64"));
    const { cipher } = this.peer;
    this.peer.cipher = {
      seal: (packet) => cipher?.seal(packet) ?? out.protectRtp(packet),
      open: (packet) => {
        const clear = back.openRtp(packet);
        if (clear === undefined) this.faults.push("a packet that the key does not open");
        return clear;
      },
    };
  }
}

function faultsOf(packets: readonly RtpPacket[]): string[] {
  const faults: string[] = [];
  for (const [index, packet] of packets.entries()) {
    const before = packets[index - 1];
    if (before === undefined) continue;
    const where = `${before.sequence}/${before.timestamp} -> ${packet.sequence}/${packet.timestamp}`;
    if (packet.ssrc !== before.ssrc) faults.push(`another SSRC: ${where}`);
    const step = (packet.sequence - before.sequence) & 0xffff;
    if (step === 0 || step >= 0x8000) faults.push(`a sequence number that steps back: ${where}`);
    if (((packet.timestamp - before.timestamp) | 0) < 0) faults.push(`a timestamp that steps back: ${where}`);
  }
  return faults;
}
