// The body of a transaction (application service API, "Pushing events"), from text to types.
import { type PushedNews, readPushedNews } from "../wire/pushed-news.ts";

export interface Transaction {
  readonly events: readonly unknown[];
  /** What it tells the devices of our users; undefined: nothing. */
  readonly news: PushedNews | undefined;
}

export type TransactionBody =
  | { readonly kind: "transaction"; readonly transaction: Transaction }
  | { readonly kind: "refused"; readonly status: number; readonly errcode: string; readonly error: string };

/** @param text undefined: longer than allowed */
export function parseTransaction(text: string | undefined): TransactionBody {
  if (text === undefined) {
    return { kind: "refused", status: 413, errcode: "M_TOO_LARGE", error: "Transaction too large" };
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { kind: "refused", status: 400, errcode: "M_NOT_JSON", error: "Not JSON" };
  }
  const events = typeof body === "object" && body !== null && "events" in body ? body.events : [];
  if (typeof body !== "object" || body === null || Array.isArray(body) || !Array.isArray(events)) {
    return { kind: "refused", status: 400, errcode: "M_BAD_JSON", error: "Not a transaction" };
  }
  return { kind: "transaction", transaction: { events, news: readPushedNews(body) } };
}
