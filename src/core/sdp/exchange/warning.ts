// What a 488 says of the offer that it refuses: the warn-code and the words for it (RFC 3261 s20.43). The words are read
// by whoever runs the other end.
import { allowedFormats, pairFormats, trunkCapability } from "./agreement.ts";
import { isMalformed, parseDescription } from "../description.ts";
import { isTrunkProtocol, trunkUnmet } from "./requirement.ts";

export interface SdpWarning {
  readonly code: 301 | 302 | 304 | 305 | 306 | 330 | 399;
  readonly text: string;
}

/** What a trunk's RTP has to look like. */
export interface TakenMedia {
  readonly srtp: "off" | "required";
  readonly codecs: readonly string[];
}

/** @param sdp the offer; undefined where ours was refused, or none was there */
export function warningOf(sdp: string | undefined, { srtp, codecs }: TakenMedia): SdpWarning {
  if (sdp === undefined) return { code: 399, text: "No session could be agreed upon" };
  const description = parseDescription(sdp, (protocol) => isTrunkProtocol(protocol, srtp));
  if (isMalformed(description)) return { code: description.warning ?? 399, text: `SDP: ${description.problem}` };
  const { audio } = description;
  const secured = srtp === "required" ? "RTP/SAVP" : "RTP/AVP";
  if (!isTrunkProtocol(audio.protocol, srtp)) {
    return { code: 302, text: `${audio.protocol} is not taken on this trunk, ${secured} is` };
  }
  if (trunkUnmet(audio, srtp) !== undefined) return { code: 306, text: "No SDES key of a known kind in a=crypto" };
  const takes = allowedFormats(audio.formats, codecs);
  if (pairFormats({ a: takes, b: trunkCapability(codecs) }, "a", []).length === 0) {
    return { code: 305, text: `None of the codecs offered is taken here; these are: ${codecs.join(", ")}` };
  }
  return { code: 399, text: "The person called could not take this offer" };
}
