// What a worker keeps of calls that are over: nothing. Each held for ever would cost 50 KB.
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { callId } from "../../../src/core/ids.ts";
import { answered, newExchange, offered } from "../../../src/core/sdp/exchange/exchange.ts";
import { flowsOf } from "../../../src/core/sdp/exchange/flows.ts";
import { webRtcEnd } from "../../../src/core/sdp/exchange/requirement.ts";
import type { Exchange, Refusal, Turn } from "../../../src/core/sdp/exchange/turn.ts";
import { Session } from "../../../src/media/embedded/session/session.ts";
import { parsed } from "../../core/sdp/samples.ts";
import { portSlice } from "../peers/rig.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const settings = {
  rtp: { host: "127.0.0.1", advertisedHost: "127.0.0.1" },
  ice: { bindHost: "127.0.0.1", advertisedHosts: [], portMin: undefined, portMax: undefined },
  silenceTimeoutMs: 60_000,
  reconnectTimeoutMs: 30_000,
};
const trunkAnswer = [
  "v=0",
  "o=- 1 1 IN IP4 127.0.0.1",
  "s=-",
  "c=IN IP4 127.0.0.1",
  "t=0 0",
  "m=audio 9 RTP/AVP 8",
  "a=rtpmap:8 PCMA/8000",
  "",
].join("\r\n");

function clientOffer(): string {
  const file = new URL("../../wire/element-web/out-invite.json", import.meta.url);
  const transaction = JSON.parse(readFileSync(file, "utf8")) as {
    body: { events: { content: { offer: { sdp: string } } }[] };
  };
  return transaction.body.events[0]?.content.offer.sdp ?? "";
}

function after(turn: Turn | Refusal): Exchange {
  if (turn.kind === "refusal") throw new Error(turn.message);
  return turn.exchange;
}

/** One call up to its answer, and its end. Gives what nothing may refer to any longer. */
async function callOnce(rtpPort: number): Promise<object> {
  const reports = {
    fact: () => undefined,
    admissionWanted: () => undefined,
    price: () => undefined,
    met: () => undefined,
    log: () => undefined,
  };
  const opening = {
    call: callId("c-1"),
    ends: {
      a: { kind: "client", iceServers: [], codecs: ["PCMA"] },
      b: {
        kind: "trunk",
        media: { srtp: "off", codecs: ["PCMA"], rtpNetworks: [] },
        leg: callId("c-1"),
        rtpPort,
        before: undefined,
      },
    },
  } as const;
  const session = await Session.open(settings, opening, reports);
  if (session === undefined) throw new Error("the ports are taken");
  const terms = { a: { kind: "client", codecs: ["PCMA"] }, b: { kind: "trunk", codecs: ["PCMA"] } } as const;
  const offer = parsed(clientOffer());
  const invited = after(offered(newExchange(terms), "a", offer));
  const { agreed } = after(answered(invited, "b", parsed(trunkAnswer)));
  const client = webRtcEnd(offer.audio);
  if ("fault" in client) throw new Error(client.message);
  await session.accept({ ...client, candidates: offer.audio.candidates });
  const gateway = {
    kind: "trunk",
    address: "127.0.0.1",
    port: 9,
    rtcpPort: 10,
    rtcpMux: false,
    keys: undefined,
  } as const;
  await session.follow({ remotes: { b: gateway }, flows: agreed && flowsOf(agreed) });
  await session.close();
  return reports;
}

test("a call that is over can be forgotten", async () => {
  const collected = new Set<number>();
  const registry = new FinalizationRegistry<number>((call) => collected.add(call));
  const { portMin } = await portSlice(5);
  const calls = [0, 1, 2, 3, 4];
  for (const call of calls) registry.register(await callOnce(portMin + 2 * call), call);
  const collectedNow = (): number => {
    collectGarbage();
    return collected.size;
  };
  // The last one may still stand on the stack of who called it.
  await expect.poll(collectedNow).toBeGreaterThanOrEqual(calls.length - 1);
});
