// Offers and answers of a client and a trunk, in turn.
import { answered as answeredBy, newExchange as exchangeOf, offered } from "../../../src/core/sdp/exchange/exchange.ts";
import type { AnswerTurn, Exchange, OfferTurn, Refusal, Turn } from "../../../src/core/sdp/exchange/turn.ts";
import type { Description } from "../../../src/core/sdp/description.ts";
import { elementSdp, gatewaySdp, parsed } from "./samples.ts";

export const invite = parsed(elementSdp("out-invite"));

export const hold = parsed(elementSdp("out-hold-negotiate"));

export const newExchange = (codecs: readonly string[]): Exchange =>
  exchangeOf({ a: { kind: "client", codecs }, b: { kind: "trunk", codecs } });

export const clientOffered = (exchange: Exchange, sdp: Description): Turn | Refusal => offered(exchange, "a", sdp);

export const trunkOffered = (exchange: Exchange, sdp: Description): Turn | Refusal => offered(exchange, "b", sdp);

export const clientAnswered = (exchange: Exchange, sdp: Description): Turn | Refusal => answeredBy(exchange, "a", sdp);

export const trunkAnswered = (exchange: Exchange, sdp: Description): Turn | Refusal => answeredBy(exchange, "b", sdp);

export function taken(turn: Turn | Refusal): OfferTurn | AnswerTurn {
  if (turn.kind === "refusal") throw new Error(turn.message);
  if (turn.kind === "settled") throw new Error("nothing to write");
  return turn;
}

export function numbers(turn: OfferTurn | AnswerTurn): string {
  return turn.formats.map((format) => `${format.payloadType} ${format.name}/${format.clockRate}`).join(", ");
}

/** A call of Element's that the gateway has answered. */
export function answered(codecs: readonly string[], answer = gatewaySdp()): Exchange {
  const offered = taken(clientOffered(newExchange(codecs), invite)).exchange;
  return taken(trunkAnswered(offered, parsed(answer))).exchange;
}
