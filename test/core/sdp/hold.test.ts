// The telephone's hold as a client is shown it: by offers of ours inside the call, which Element answers as recorded.
import { describe, expect, test } from "vitest";
import {
  answered,
  described,
  isHeld,
  isOpen,
  newExchange,
  offered,
  settled,
  untold,
} from "../../../src/core/sdp/exchange/exchange.ts";
import type { Exchange, OfferTurn, Refusal, Turn } from "../../../src/core/sdp/exchange/turn.ts";
import { elementSdp, gatewaySdp, parsed } from "./samples.ts";

const codecs = ["PCMU", "PCMA"];
const events = "a=rtpmap:101 telephone-event/8000";
const held = (direction: string) => parsed(gatewaySdp({ lines: [events, `a=${direction}`] }));
const resumed = parsed(gatewaySdp());
const element = (name: string) => parsed(elementSdp(name));

function after(turn: Turn | Refusal): Exchange {
  if (turn.kind === "refusal") throw new Error(turn.message);
  return turn.exchange;
}

/** A call of Element's that the gateway has answered. */
function talking(answer = resumed): Exchange {
  const exchange = newExchange({ a: { kind: "client", codecs }, b: { kind: "trunk", codecs } });
  return after(answered(after(offered(exchange, "a", element("out-invite"))), "b", answer));
}

/** The client is offered what it has not been told. */
function shown(exchange: Exchange): OfferTurn {
  const turn = described(exchange, "a");
  if (turn.kind !== "offer") throw new Error(turn.kind);
  return turn;
}

const wordOf = ({ agreed }: Exchange) => agreed?.directions.a;

describe("a telephone holds", () => {
  test.each(["sendonly", "inactive"] as const)(
    "by %s: the client is offered that, and its answer is not its own wish to be silent",
    (direction) => {
      const hold = after(offered(talking(), "b", held(direction)));
      expect(untold(hold)).toBe(direction);
      const offer = shown(hold);
      expect(offer).toMatchObject({ to: "a", direction });
      const told = after(answered(offer.exchange, "a", element(`in-remote-hold-answer-${direction}`)));
      expect(untold(told)).toBeUndefined();
      expect(wordOf(told)).toBe("sendrecv");
      expect(told.agreed && isOpen(told.agreed, "b")).toBe(direction === "sendonly");
    },
  );

  test.each(["sendonly", "inactive"] as const)("by %s, and takes it back: both are heard again", (direction) => {
    const hold = after(offered(talking(), "b", held(direction)));
    const told = after(answered(shown(hold).exchange, "a", element(`in-remote-hold-answer-${direction}`)));
    const back = offered(told, "b", resumed);
    expect(back).toMatchObject({ kind: "answer", to: "b", direction: "sendrecv" });
    expect(untold(after(back))).toBe("sendrecv");
    const offer = shown(after(back));
    expect(offer.direction).toBe("sendrecv");
    const whole = after(answered(offer.exchange, "a", element("in-remote-hold-answer-sendrecv")));
    expect(untold(whole)).toBeUndefined();
    expect(whole.agreed && [isHeld(whole.agreed), isOpen(whole.agreed, "a"), isOpen(whole.agreed, "b")]).toEqual([
      false,
      true,
      true,
    ]);
  });

  test("by the old address 0.0.0.0", () => {
    expect(untold(after(offered(talking(), "b", parsed(gatewaySdp({ address: "0.0.0.0" })))))).toBe("sendonly");
  });

  test("by its answer to an offer that it had asked for", () => {
    const asked = after(described(talking(), "b"));
    expect(untold(after(answered(asked, "b", held("inactive"))))).toBe("inactive");
  });

  test("when it answers the call: the client's answer says nothing of it, so that one that cannot renegotiate speaks later", () => {
    const first = after(
      offered(newExchange({ a: { kind: "client", codecs }, b: { kind: "trunk", codecs } }), "a", element("out-invite")),
    );
    const turn = answered(first, "b", held("sendonly"));
    expect(turn).toMatchObject({ kind: "answer", to: "a", direction: "sendrecv" });
    expect(untold(after(turn))).toBe("sendonly");
  });

  test("and is only listening: that is no hold", () => {
    expect(untold(after(offered(talking(), "b", held("recvonly"))))).toBeUndefined();
  });

  test("and resumes before the client has answered: the client is told of the end all the same", () => {
    const hold = shown(after(offered(talking(), "b", held("sendonly")))).exchange;
    const back = after(offered(hold, "b", resumed));
    expect(untold(back)).toBe("sendrecv");
  });

  test("while the client restarts ICE: the answer to that shows the hold", () => {
    const hold = after(offered(talking(), "b", held("sendonly")));
    const turn = offered(hold, "a", element("out-unhold-negotiate"));
    expect(turn).toMatchObject({ kind: "answer", to: "a", direction: "sendonly" });
    expect(untold(after(turn))).toBeUndefined();
  });
});

describe("both hold", () => {
  /** Element holds, then the telephone does. */
  function bothHold(): Exchange {
    const asked = after(offered(talking(), "a", element("out-hold-negotiate")));
    const byClient = after(answered(asked, "b", held("recvonly")));
    expect(untold(byClient)).toBeUndefined();
    const both = after(offered(byClient, "b", held("inactive")));
    expect(untold(both)).toBe("inactive");
    return after(answered(shown(both).exchange, "a", element("in-remote-hold-answer-inactive")));
  }

  test("and the telephone takes its hold back: that of the client stays", () => {
    const back = after(offered(bothHold(), "b", resumed));
    expect(untold(back)).toBe("sendrecv");
    expect(wordOf(back)).toBe("sendonly");
  });

  test("and the client takes its hold back: that of the telephone stays, and is still shown", () => {
    const asked = offered(bothHold(), "a", element("out-unhold-negotiate"));
    expect(asked).toMatchObject({ kind: "offer", to: "b", direction: "sendrecv" });
    const turn = answered(after(asked), "b", held("inactive"));
    expect(turn).toMatchObject({ kind: "answer", to: "a", direction: "inactive" });
    expect(untold(after(turn))).toBeUndefined();
    expect(untold(after(offered(after(turn), "b", resumed)))).toBe("sendrecv");
  });

  test("a telephone that repeats what the client's hold leaves of it does not hold", () => {
    const asked = after(
      offered(talking(), "a", parsed(elementSdp("out-hold-negotiate").replace("a=sendonly", "a=inactive"))),
    );
    const byClient = after(answered(asked, "b", held("inactive")));
    expect(untold(byClient)).toBeUndefined();
    expect(untold(after(offered(byClient, "b", held("inactive"))))).toBeUndefined();
  });

  test("a hold of the client's that the trunk refuses is between the client and us", () => {
    const asked = after(offered(talking(), "a", element("out-hold-negotiate")));
    expect(untold(after(settled(asked, "a")))).toBeUndefined();
  });
});
