// Whether somebody wants to be seen: a telephone number has no video, and whoever asks for it is told so.

/** A video section that is not switched off (port 0, RFC 3264 s6). */
export function offersVideo(sdp: string): boolean {
  return /^m=video (?!0[ /])\d/m.test(sdp);
}
