// 488 and 606 say what of the offer was not acceptable (RFC 3261 s21.4.26, s21.6.4), so that the admin of the other end
// does not have to guess.
import { warningOf, type TakenMedia } from "../../core/sdp/exchange/warning.ts";
import { warningHeader, type HeaderLine } from "../wire/header-builder.ts";

/** Headers of a refusal with that status. @param sdp the offer refused; undefined where ours was refused, or none was there */
export function refusalHeaders(status: number, sdp: string | undefined, media: TakenMedia): readonly HeaderLine[] {
  if (status !== 488 && status !== 606) return [];
  const { code, text } = warningOf(sdp, media);
  return [warningHeader(code, text)];
}
