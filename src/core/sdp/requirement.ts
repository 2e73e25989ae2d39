// What a description must have before its offer or answer is looked at: WebRTC from a client, RTP or SRTP from a trunk.
import type { MediaFault } from "../call/media-side.ts";
import type { AudioSection, Fingerprint, IceCredentials, Setup } from "./description.ts";

/** A client's end of ICE and DTLS. */
export interface WebRtcEnd {
  readonly ice: IceCredentials;
  readonly fingerprint: Fingerprint;
  readonly setup: Setup;
}

export interface Unmet {
  readonly fault: MediaFault;
  readonly message: string;
}

/** DTLS-SRTP with ICE and RTCP on the same port, as every browser has it (RFC 8834 s4.5). */
export function webRtcEnd(audio: AudioSection): WebRtcEnd | Unmet {
  const { protocol, ice, fingerprint, setup } = audio;
  if (!protocol.startsWith("UDP/TLS/RTP/SAVP"))
    return { fault: "encryption-mismatch", message: `the client's ${protocol} is not DTLS-SRTP` };
  if (ice === undefined) return { fault: "bad-description", message: "no ICE user name and password" };
  if (fingerprint === undefined)
    return { fault: "bad-description", message: "no certificate fingerprint we can check" };
  if (!audio.rtcpMux) return { fault: "bad-description", message: "no rtcp-mux" };
  return { ice, fingerprint, setup: setup ?? "actpass" };
}

/** Undefined if it is what the trunk is configured for. */
export function trunkUnmet(audio: AudioSection, srtp: "off" | "required"): Unmet | undefined {
  const isSecure = /^RTP\/SAVPF?$/.test(audio.protocol);
  if (!isSecure && !/^RTP\/AVPF?$/.test(audio.protocol))
    return { fault: "encryption-mismatch", message: `${audio.protocol} is neither RTP nor SRTP` };
  if (isSecure !== (srtp === "required"))
    return { fault: "encryption-mismatch", message: `${audio.protocol} from a trunk with SRTP ${srtp}` };
  if (isSecure && audio.crypto.length === 0)
    return { fault: "encryption-mismatch", message: "no SDES key that we support" };
  return undefined;
}
