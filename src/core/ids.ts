// Branded identifiers: a string that was parsed or made once, and cannot be mistaken for another kind.
// Foreign ids (Matrix, SIP) and our own stand side by side, so every name says whose it is.

declare const brand: unique symbol;
type Brand<Name extends string> = string & { readonly [brand]: Name };

/** Our own id of a call, `c-` and a random part; the only id the whole bridge shares. */
export type CallId = Brand<"CallId">;
/** `call_id` of the Matrix VoIP module, chosen by the client that called. */
export type MatrixCallId = Brand<"MatrixCallId">;
/** `party_id` of the Matrix VoIP module: one device's end of a call. */
export type DeviceId = Brand<"DeviceId">;
export type RoomId = Brand<"RoomId">;
export type EventId = Brand<"EventId">;
/** A full Matrix user id, `@localpart:domain`. */
export type UserId = Brand<"UserId">;
/** Call-ID header of a SIP dialog (RFC 3261 s20.8). */
export type SipCallId = Brand<"SipCallId">;
/** What a telephone can dial, without separators: made by `number/dialled.ts` alone. Every E.164 number is one. */
export type DialString = Brand<"DialString" | "E164">;
/** `+` and 1 to 15 digits (ITU-T E.164). */
export type E164 = Brand<"E164">;
/** One telephone number, however it is written: for comparing, never for dialling or showing. */
export type NumberKey = Brand<"NumberKey">;
/** The name an admin gave a trunk in the configuration. */
export type TrunkName = Brand<"TrunkName">;
/** Which PIN of the configuration: where it stands there. Never the PIN itself. */
export type PinName = Brand<"PinName">;

const maxIdBytes = 255;
// A server name is a host or an address and perhaps a port; an underscore is not allowed there, but met.
const userIdForm = /^@[^:\0]*:[0-9A-Za-z_.:[\]-]+$/;
const utf8 = new TextEncoder();

/** UTF-8 takes one to three bytes for each UTF-16 unit, so that most texts need no counting. */
function fitsId(text: string): boolean {
  return text.length * 3 <= maxIdBytes || (text.length <= maxIdBytes && utf8.encode(text).length <= maxIdBytes);
}

/** Parses `@localpart:domain`; undefined if it is not one or is longer than 255 bytes (Matrix spec, appendices). */
export function parseUserId(text: string): UserId | undefined {
  if (!fitsId(text) || !userIdForm.test(text)) return undefined;
  return text as UserId;
}

/** The part between `@` and the first `:`. */
export function localpartOf(user: UserId): string {
  return user.slice(1, user.indexOf(":"));
}

/** The server name after the first `:`. */
export function domainOf(user: UserId): string {
  return user.slice(user.indexOf(":") + 1);
}

/** For ids in which every text is good. */
function branded<Name extends string>(text: string): Brand<Name> {
  return text as Brand<Name>;
}

export const callId: (text: string) => CallId = branded;
export const matrixCallId: (text: string) => MatrixCallId = branded;
export const deviceId: (text: string) => DeviceId = branded;
export const roomId: (text: string) => RoomId = branded;
export const eventId: (text: string) => EventId = branded;
export const sipCallId: (text: string) => SipCallId = branded;
export const trunkName: (text: string) => TrunkName = branded;
export const pinName: (text: string) => PinName = branded;
