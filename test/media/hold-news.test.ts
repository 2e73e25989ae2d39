// When the bridge hears that a client should be shown the telephone's hold, as Element's recorded offers make it.
import { expect, test } from "vitest";
import { answered, described, newExchange, offered } from "../../src/core/sdp/exchange.ts";
import type { Exchange, Refusal, Turn } from "../../src/core/sdp/turn.ts";
import { HoldNews } from "../../src/media/embedded/session/hold-news.ts";
import { elementSdp, gatewaySdp, parsed } from "../core/sdp/samples.ts";

const codecs = ["PCMU", "PCMA"];
const second = 1_000;

function after(turn: Turn | Refusal): Exchange {
  if (turn.kind === "refusal") throw new Error(turn.message);
  return turn.exchange;
}

const fresh = newExchange({ matrix: { kind: "client", codecs }, trunk: { kind: "trunk", codecs } });
const talking = after(
  answered(after(offered(fresh, "matrix", parsed(elementSdp("out-invite")))), "trunk", parsed(gatewaySdp())),
);
const held = after(offered(talking, "trunk", parsed(gatewaySdp({ lines: ["a=sendonly"] }))));
const offeredToClient = after(described(held, "matrix"));
const shown = after(answered(offeredToClient, "matrix", parsed(elementSdp("in-remote-hold-answer-sendonly"))));
const resumed = after(offered(shown, "trunk", parsed(gatewaySdp())));

test("a hold is told at once, and again to a client that has not answered in 12 s, three times in all", () => {
  const news = new HoldNews();
  const due = (exchange: Exchange, atMs: number): boolean => news.isDue(exchange, atMs);
  expect(due(talking, 0)).toBe(false);
  for (let attempt = 0; attempt < 3; attempt++) {
    const atMs = attempt * 12 * second;
    if (attempt > 0) expect(due(offeredToClient, atMs - 1)).toBe(false);
    expect(due(attempt === 0 ? held : offeredToClient, atMs)).toBe(true);
    news.offered(atMs);
  }
  for (let later = 36; later < 300; later++) expect(due(offeredToClient, later * second)).toBe(false);
});

test("the end of a hold is told at once, however short the hold was", () => {
  const news = new HoldNews();
  expect(news.isDue(held, 0)).toBe(true);
  news.offered(0);
  expect(news.isDue(shown, 100)).toBe(false);
  expect(news.isDue(resumed, 500)).toBe(true);
});

test("where nothing comes of it, the client being unable to renegotiate, the bridge hears of it for two minutes", () => {
  const news = new HoldNews();
  let told = 0;
  for (let atMs = 0; atMs < 600 * second; atMs += second) if (news.isDue(held, atMs)) told += 1;
  expect(told).toBe(120);
});
