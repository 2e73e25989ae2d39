// Message-waiting (RFC 3842) in NOTIFYs outside of calls, and what other NOTIFYs there are answered (RFC 6665 s4.1.3).
import type { TrunkName } from "../../core/ids.ts";
import type { MessageWaiting } from "../../ports/sip.ts";
import { mediaTypesHeader, tokensHeader, type HeaderLine } from "../wire/header-builder.ts";
import { parseDigits } from "../wire/fields/grammar.ts";
import { header, type SipRequest } from "../wire/message.ts";
import { parseNameAddr } from "../wire/fields/name-addr.ts";
import { userText } from "../../core/address/uri.ts";

const SUMMARY_TYPE = "application/simple-message-summary";
const MAX_LINES = 50;
const MAX_BODY = 8_192;
const MAX_ACCOUNT = 255;
const MAX_COUNT = 1_000_000;

export interface NotifyVerdict {
  readonly status: number;
  readonly headers: readonly HeaderLine[];
  readonly news: MessageWaiting | undefined;
}

/** Servers send it without a subscription to whoever is registered, so none is asked for. */
export function judgeNotify(request: SipRequest, trunk: TrunkName): NotifyVerdict {
  const verdict = (status: number, ...headers: HeaderLine[]): NotifyVerdict => ({ status, headers, news: undefined });
  const event = header(request, "Event")?.split(";", 1)[0]?.trim().toLowerCase();
  if (event === "refer") return verdict(481);
  if (event !== "message-summary") return verdict(489, tokensHeader("Allow-Events", ["message-summary", "refer"]));
  // The last one of a subscription may be empty.
  if (request.body.trim() === "") return verdict(200);
  if ((request.contentType?.type ?? SUMMARY_TYPE) !== SUMMARY_TYPE) {
    return verdict(415, mediaTypesHeader("Accept", [SUMMARY_TYPE]));
  }
  const summary = parseSummary(request.body);
  if (summary === undefined) return verdict(400);
  const { account = userText(request.uri) ?? "", ...counts } = summary;
  return { status: 200, headers: [], news: { trunk, account: account.slice(0, MAX_ACCOUNT), ...counts } };
}

export interface Summary {
  readonly account: string | undefined;
  readonly waiting: boolean;
  readonly newMessages: number;
  readonly oldMessages: number;
}

/** RFC 3842 s5.2. Of the kinds of messages, voice counts; undefined where nothing is said of any. */
export function parseSummary(body: string): Summary | undefined {
  const fields = new Map<string, string>();
  for (const line of body.slice(0, MAX_BODY).split(/\r?\n/, MAX_LINES)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    if (name !== "" && !fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  const [, fresh, old] = /^(\d{1,9})\s*\/\s*(\d{1,9})/.exec(fields.get("voice-message") ?? "") ?? [];
  const said = /^(yes|no)\b/i.exec(fields.get("messages-waiting") ?? "")?.[1]?.toLowerCase();
  if (said === undefined && fresh === undefined) return undefined;
  const newMessages = count(fresh);
  const account = accountIn(fields.get("message-account"));
  return {
    account,
    waiting: said === undefined ? newMessages > 0 : said === "yes",
    newMessages,
    oldMessages: count(old),
  };
}

function count(digits: string | undefined): number {
  return Math.min(parseDigits(digits ?? "", Number.MAX_SAFE_INTEGER) ?? 0, MAX_COUNT);
}

function accountIn(value: string | undefined): string | undefined {
  const address = value === undefined ? undefined : parseNameAddr(value);
  return address && userText(address.uri);
}
