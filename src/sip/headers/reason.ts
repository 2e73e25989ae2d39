// Why a call ended, in the telephone network's own numbers (RFC 3326, ITU-T Q.850).
import { parseReasons, reasonHeader, type HeaderLine } from "../wire/header-builder.ts";
import { headerValues, type SipMessage } from "../wire/message.ts";

/** The Q.850 cause of a request or response, 1 to 127; undefined when it names none. */
export function q850Of(message: SipMessage): number | undefined {
  for (const { protocol, cause } of headerValues(message, "Reason").flatMap(parseReasons)) {
    if (protocol.toUpperCase() === "Q.850" && cause !== undefined && cause >= 1 && cause <= 127) return cause;
  }
  return undefined;
}

/** For BYE and CANCEL. */
export function q850Header(cause: number): HeaderLine {
  return reasonHeader({ protocol: "Q.850", cause, text: undefined });
}

/** Whether a CANCEL says that somebody else has answered the call (RFC 3326 s2; Q.850 26, non-selected user clearing). */
export function answeredElsewhere(message: SipMessage): boolean {
  return headerValues(message, "Reason")
    .flatMap(parseReasons)
    .some(({ protocol, cause }) => `${protocol.toUpperCase()} ${cause}` === "SIP 200" || q850Of(message) === 26);
}
