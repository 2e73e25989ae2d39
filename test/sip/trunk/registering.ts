// A trunk that registers, and a registrar that takes it.
import type { TrunkSettings } from "../../../src/ports/sip.ts";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import { header, type SipRequest } from "../../../src/sip/wire/message.ts";
import { lines, type Peer, type Received, type ReplyOptions } from "../rig/peer.ts";
import type { Stack } from "../rig/stack.ts";

export const registration = { user: "4930123", domain: "registrar.example", expiresMs: 300_000 };

export const registering: Partial<TrunkSettings> = { registration };

/** The Contact of a REGISTER as a registrar lists it. */
export function bound(request: Received<SipRequest>, expires: number): string {
  return `${lines(request, "Contact")[0]};expires=${expires}`;
}

export function take(
  peer: Peer,
  request: Received<SipRequest>,
  more: ReplyOptions & { contacts?: string[] } = {},
): void {
  const contacts = more.contacts ?? [bound(request, Number(header(request.message, "Expires")))];
  const headers = [...contacts.map((value) => textHeader("Contact", value)), ...(more.headers ?? [])];
  peer.reply(request, 200, { headers, contact: false });
}

export const registered = (stack: Stack): Promise<unknown> => stack.health((health) => health.registered === true);

export const cseq = ({ message }: Received): number => message.cseq.number;
