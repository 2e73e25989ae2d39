// What a description must have before its offer or answer is looked at: WebRTC from a client, RTP or SRTP from a trunk.
import type { MediaFault } from "../../media-end.ts";
import type { AudioSection, Fingerprint, IceCredentials, Setup } from "../description.ts";

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

export function isSameEnd(one: WebRtcEnd | undefined, other: WebRtcEnd): boolean {
  return (
    one !== undefined &&
    one.ice.ufrag === other.ice.ufrag &&
    one.ice.pwd === other.ice.pwd &&
    one.fingerprint.value === other.fingerprint.value
  );
}

/** Is it the one that a trunk is configured for? Some offer the same audio encrypted and not (RFC 4568 s1 advises so). */
export function isTrunkProtocol(protocol: string, srtp: "off" | "required"): boolean {
  return (srtp === "required" ? /^RTP\/SAVPF?$/ : /^RTP\/AVPF?$/).test(protocol);
}

/** Undefined if it is what the trunk is configured for. */
export function trunkUnmet(audio: AudioSection, srtp: "off" | "required"): Unmet | undefined {
  if (!isTrunkProtocol(audio.protocol, srtp))
    return { fault: "encryption-mismatch", message: `${audio.protocol} from a trunk with SRTP ${srtp}` };
  if (srtp === "required" && audio.crypto.length === 0)
    return { fault: "encryption-mismatch", message: "no SDES key that we support" };
  return undefined;
}
