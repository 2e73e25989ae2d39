// What the bridge may rely on from a call's media, whichever engine carries it.
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { MediaEnd } from "../../../src/core/media-end.ts";
import { callId, type CallId } from "../../../src/core/ids.ts";
import type { CallMedia, EndOptions, MediaReport, MediaSession, TrunkMedia } from "../../../src/ports/media.ts";
import { ClientPeer, opusAlone, type ClientCodec } from "../../media/peers/client-peer.ts";
import { test, type Scope } from "../../media/peers/scope.ts";
import { TrunkPeer } from "../../media/peers/trunk-peer.ts";

export interface MediaHarness {
  readonly media: CallMedia<string>;
  /** The client takes our answer, and its connection comes up where there is one. */
  connect(client: ClientPeer, session: MediaSession<string>, answer: string): Promise<void>;
  /** The digits that have come to the trunk of that session, once they are so many. Orders before are carried out. */
  digits(session: CallId, trunk: TrunkPeer, count: number): Promise<readonly string[]>;
  /** What carries the sessions dies, and is replaced. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

const plain: TrunkMedia = { srtp: "off", codecs: ["PCMU", "PCMA"], rtpNetworks: [] };
const events = "a=rtpmap:101 telephone-event/8000";
const client: EndOptions = { kind: "client", iceServers: [], codecs: plain.codecs };
let count = 0;

function newCall(): CallId {
  count += 1;
  return callId(`contract-${count}`);
}

const trunkOf = (leg: CallId, media: Partial<TrunkMedia> = {}): EndOptions => ({
  kind: "trunk",
  media: { ...plain, ...media },
  leg,
});

const originOf = (sdp: string): readonly string[] => /^o=- (\d+) (\d+) /m.exec(sdp)?.slice(1) ?? [];

export function mediaContract(start: () => Promise<MediaHarness>): void {
  let harness: MediaHarness;

  beforeAll(async () => {
    harness = await start();
  });
  afterAll(async () => harness.stop());

  interface Opened {
    readonly call: CallId;
    readonly session: MediaSession<string>;
    readonly facts: readonly MediaReport[];
  }

  const open = async (
    scope: Scope,
    ends: Readonly<Record<MediaEnd, EndOptions>>,
    call = newCall(),
  ): Promise<Opened> => {
    const facts: MediaReport[] = [];
    const session = await harness.media.open({ call, ...ends }, (fact) => facts.push(fact));
    let isClosed = false;
    const close = session.close.bind(session);
    session.close = async () => {
      isClosed = true;
      return close();
    };
    scope.add(async () => (isClosed ? undefined : session.close()));
    return { call, session, facts };
  };

  const clientCall = async (scope: Scope, media: Partial<TrunkMedia> = {}): Promise<Opened & Peers> => {
    const call = newCall();
    return { ...(await open(scope, { a: client, b: trunkOf(call, media) }, call)), ...(await peers(scope)) };
  };

  /** Both have their answers. */
  const talk = async (scope: Scope): Promise<Opened & Peers & { readonly answer: string }> => {
    const call = await clientCall(scope);
    await call.session.offer("a", await call.person.offer());
    const answer = await call.session.answer("b", call.gateway.sdp());
    return { ...call, answer };
  };

  describe("a client that calls", () => {
    test("is offered to the trunk, and answered when the trunk has answered", async ({ scope }) => {
      const { session, person, gateway, facts } = await clientCall(scope);
      const { kind, description: sdp } = await session.offer("a", await person.offer());
      expect(kind).toBe("forward");
      expect(sdp).toMatch(/^c=IN IP4 127\.0\.0\.1\r\n(?:.*\r\n)*m=audio \d+ RTP\/AVP 0 101\r\n/m);
      expect(sdp).not.toMatch(/candidate|fingerprint|msid|ssrc/);
      const answer = await session.answer("b", gateway.sdp());
      expect(answer).toMatch(/m=audio \d+ UDP\/TLS\/RTP\/SAVPF 0 126\r\n/);
      expect(answer).toMatch(/a=ice-ufrag:(?:.*\r\n)*a=fingerprint:(?:.*\r\n)*a=candidate:.*\r\na=end-of-candidates/);
      expect(answer).not.toContain("a=setup:actpass");
      await harness.connect(person, session, answer);
      await expect.poll(() => facts).toContainEqual({ kind: "media.connected" });
    });

    test("may be answered twice by the trunk, and answers no second time itself", async ({ scope }) => {
      const { session, gateway, answer, person } = await talk(scope);
      expect(await session.answer("b", gateway.sdp())).toBe(answer);
      await expect(session.answer("a", await person.offer())).rejects.toMatchObject({ code: "bad-description" });
    });
  });

  test("a client that is called gets an offer, and its answer is the trunk's", async ({ scope }) => {
    const { session, person, gateway, facts } = await clientCall(scope);
    const { kind, description: sdp } = await session.offer("b", gateway.sdp());
    expect(kind).toBe("forward");
    expect(sdp).toContain("a=setup:actpass\r\n");
    const answer = await session.answer(
      "a",
      (await person.answer(withoutCandidates(sdp))).replace("actpass", "active"),
    );
    expect(answer).toMatch(/m=audio \d+ RTP\/AVP 0 101\r\n/);
    session.addCandidates(person.candidates());
    person.addCandidates(sdp);
    await expect.poll(() => facts).toContainEqual({ kind: "media.connected" });
  });

  test("a trunk that leaves the offer to us gets what the client made of ours", async ({ scope }) => {
    const { session, person, gateway } = await clientCall(scope);
    const sdp = await session.describe("a");
    const offer = await session.answer("a", (await person.answer(withoutCandidates(sdp))).replace("actpass", "active"));
    expect(offer).toMatch(/m=audio \d+ RTP\/AVP 0 \d+\r\n/);
    expect(await session.answer("b", gateway.sdp())).toBe("");
  });

  describe("a trunk that hears tones of ours", () => {
    const opened = async (scope: Scope): Promise<Opened & Peers> => {
      const call = newCall();
      return { ...(await open(scope, { a: { kind: "prompt" }, b: trunkOf(call) }, call)), ...(await peers(scope)) };
    };

    test("is answered for whatever stands at the other end", async ({ scope }) => {
      const { session, gateway } = await opened(scope);
      const { kind, description } = await session.offer("b", gateway.sdp());
      expect(kind).toBe("forward");
      expect(await session.answer("a", description)).toMatch(/m=audio \d+ RTP\/AVP 0 101\r\n/);
      await session.prompt("enter");
      expect(await session.sendDtmf("b", "1", 100)).toBe(true);
    });

    test("without a codec that tones can be turned into is refused", async ({ scope }) => {
      const { session, gateway } = await opened(scope);
      const unknown = { formats: "97", lines: ["a=rtpmap:97 iLBC/8000"] };
      await expect(session.offer("b", gateway.sdp(unknown))).rejects.toMatchObject({ code: "no-common-codec" });
    });
  });

  test("calls that cross are answered both", async ({ scope }) => {
    const { session, person, gateway } = await clientCall(scope);
    await session.offer("b", gateway.sdp());
    const { a, b } = await session.cross("a", await person.offer());
    expect(a).toContain("UDP/TLS/RTP/SAVPF 0");
    expect(b).toMatch(/RTP\/AVP 0 101\r\n/);
  });

  test("two trunks are brought together, each in its own words", async ({ scope }) => {
    const [one, other] = [newCall(), newCall()];
    const { session, facts } = await open(scope, { a: trunkOf(other), b: trunkOf(one) }, one);
    const { gateway } = await peers(scope);
    const first = await session.describe("b");
    const second = await session.answer("b", gateway.sdp());
    const portOf = (sdp: string) => /m=audio (\d+)/.exec(sdp)?.[1];
    expect(portOf(first)).not.toBe(portOf(second));
    expect(facts).toEqual([]);
    const words = { formats: "0 97", lines: ["a=rtpmap:97 telephone-event/8000"] };
    expect(await session.answer("a", gateway.sdp(words))).toBe("");
    await expect.poll(() => facts).toEqual([{ kind: "media.connected" }]);
  });

  describe("two ends without a codec in common are brought together by converting", () => {
    const g711: TrunkMedia = { ...plain, codecs: ["PCMA"] };
    const answerOf = { formats: "8 101", lines: [events] };
    const opened = async (scope: Scope): Promise<Opened & Peers> => {
      const call = newCall();
      const ends = { a: { ...client, codecs: g711.codecs }, b: trunkOf(call, g711) };
      return { ...(await open(scope, ends, call)), ...(await peers(scope, opusAlone)) };
    };

    test("where the client calls", async ({ scope }) => {
      const { session, person, gateway } = await opened(scope);
      const offer = await session.offer("a", await person.offer());
      expect(offer.description).toMatch(/m=audio \d+ RTP\/AVP 8 101\r\n/);
      const answer = await session.answer("b", gateway.sdp(answerOf));
      expect(answer).toMatch(/m=audio \d+ UDP\/TLS\/RTP\/SAVPF 111 110\r\n/);
      await harness.connect(person, session, answer);
      expect(await session.stats()).toMatchObject({ codec: "PCMA", converted: { a: "opus", b: "PCMA" } });
    });

    test("where the trunk calls", async ({ scope }) => {
      const { session, person, gateway } = await opened(scope);
      const { description: sdp } = await session.offer("b", gateway.sdp(answerOf));
      expect(sdp).toMatch(/m=audio \d+ UDP\/TLS\/RTP\/SAVPF 8 111 /);
      const text = (await person.answer(withoutCandidates(sdp))).replace("actpass", "active");
      expect(await session.answer("a", text)).toMatch(/m=audio \d+ RTP\/AVP 8 101\r\n/);
      expect(await session.stats()).toMatchObject({ converted: { a: "opus", b: "PCMA" } });
    });

    test("in a running call, from one answer of the trunk to the next, and when the trunk changes its codec", async ({
      scope,
    }) => {
      const { session, gateway } = await clientCall(scope, { codecs: ["PCMU", "PCMA", "opus"] });
      const { person } = await peers(scope, opusAlone);
      await session.offer("a", await person.offer());
      const opusToo = { formats: "96 97", lines: ["a=rtpmap:96 opus/48000/2", "a=rtpmap:97 telephone-event/48000"] };
      await session.answer("b", gateway.sdp(opusToo));
      expect(await session.stats()).toMatchObject({ codec: "opus" });
      expect(await session.stats()).not.toHaveProperty("converted");
      await session.answer("b", gateway.sdp(answerOf));
      expect(await session.stats()).toMatchObject({ converted: { a: "opus", b: "PCMA" } });
      expect(await session.offer("b", gateway.sdp())).toMatchObject({ kind: "settled" });
      expect(await session.stats()).toMatchObject({ converted: { a: "opus", b: "PCMU" } });
    });
  });

  describe("a hold", () => {
    test.for([
      ["sendonly", "recvonly"],
      ["inactive", "inactive"],
    ] as const)("of the client is the trunk's to answer: %s", async ([said, answered], { scope }) => {
      const { session, person, gateway } = await talk(scope);
      const held = await session.offer("a", await person.offer(said));
      expect(held).toMatchObject({ kind: "forward", description: expect.stringContaining(`a=${said}\r\n`) });
      const answer = await session.answer("b", gateway.sdp({ lines: [events, `a=${answered}`] }));
      expect(answer).toContain(`a=${answered}\r\n`);
      expect(session.untold).toBeUndefined();
    });

    test.for(["sendonly", "inactive"] as const)(
      "of the trunk is answered at once and shown to the client afterwards: %s",
      async (said, { scope }) => {
        const { session, person, gateway } = await talk(scope);
        const held = await session.offer("b", gateway.sdp({ lines: [events, `a=${said}`] }));
        expect(held.kind).toBe("settled");
        expect(session.untold).toBe(said);
        expect(await session.describe("a")).toContain(`a=${said}\r\n`);
        await session.answer("a", await person.offer(said === "sendonly" ? "recvonly" : "inactive"));
        expect(session.untold).toBeUndefined();
        expect(await session.offer("b", gateway.sdp())).toMatchObject({
          kind: "settled",
          description: expect.stringContaining("a=sendrecv\r\n"),
        });
        expect(session.untold).toBe("sendrecv");
      },
    );

    test("that the trunk refuses is settled with the client alone", async ({ scope }) => {
      const { session, person } = await talk(scope);
      await session.offer("a", await person.offer("sendonly"));
      expect(await session.settle("a")).toContain("a=recvonly\r\n");
    });
  });

  describe("a description that cannot be used is refused, and the session is as it was", () => {
    test("of the client", async ({ scope }) => {
      const { session, person } = await clientCall(scope);
      const offer = await person.offer();
      for (const [sdp, code] of [
        ["", "bad-description"],
        [offer.replace(/a=fingerprint.*\r\n/, ""), "bad-description"],
        [offer.replace(/a=ice-ufrag.*\r\n/, ""), "bad-description"],
        [
          offer.replace("UDP/TLS/RTP/SAVPF 0 126", "RTP/AVP 0 126").replace("0.0.0.0", "192.0.2.1"),
          "encryption-mismatch",
        ],
        [offer.replace("SAVPF 0 126", "SAVPF 3 126").replace("rtpmap:0 PCMU", "rtpmap:3 GSM"), "no-common-codec"],
      ] as const)
        await expect(session.offer("a", sdp), code).rejects.toMatchObject({ name: "MediaError", code });
      expect(await session.offer("a", offer)).toMatchObject({ kind: "forward" });
    });

    test("of the trunk", async ({ scope }) => {
      const { session, person, gateway } = await clientCall(scope);
      await expect(session.answer("b", gateway.sdp())).rejects.toMatchObject({ code: "bad-description" });
      await session.offer("a", await person.offer());
      for (const [sdp, code] of [
        [gateway.sdp({ address: "224.0.0.1" }), "bad-description"],
        [gateway.sdp({ address: "::1" }), "bad-description"],
        [gateway.sdp({ protocol: "RTP/SAVP" }), "encryption-mismatch"],
        [gateway.sdp({ formats: "18 101" }), "no-common-codec"],
      ] as const)
        await expect(session.answer("b", sdp), code).rejects.toMatchObject({ name: "MediaError", code });
      expect(await session.answer("b", gateway.sdp())).toContain("UDP/TLS/RTP/SAVPF 0");
    });
  });

  describe("digits", () => {
    test("go to the trunk in their order, and what is none goes nowhere", async ({ scope }) => {
      const { call, session, gateway, person, answer } = await talk(scope);
      await harness.connect(person, session, answer);
      for (const digit of ["1", "x", "12", "#"]) void session.sendDtmf("b", digit, 100);
      await session.stats();
      expect(await harness.digits(call, gateway, 2)).toEqual(["1", "#"]);
    });

    test("go nowhere where the trunk has none agreed", async ({ scope }) => {
      const { call, session, gateway, person } = await clientCall(scope);
      await session.offer("a", await person.offer());
      await harness.connect(person, session, await session.answer("b", gateway.sdp({ formats: "0", lines: [] })));
      void session.sendDtmf("b", "1", 100);
      await session.stats();
      expect(await harness.digits(call, gateway, 0)).toEqual([]);
    });
  });

  test("candidates may come before, between and after the descriptions, and bad ones harm nothing", async ({
    scope,
  }) => {
    const { session, person, gateway, facts } = await clientCall(scope);
    const offer = await person.offer();
    session.addCandidates([{ candidate: "candidate:nonsense", mid: "0", mLineIndex: 0 }]);
    session.addCandidates(person.candidates());
    await session.offer("a", offer);
    session.addCandidates(person.candidates());
    await harness.connect(person, session, await session.answer("b", gateway.sdp()));
    session.addCandidates([{ candidate: "", mid: "0", mLineIndex: 0 }]);
    await expect.poll(() => facts).toContainEqual({ kind: "media.connected" });
  });

  test("a session counts from nothing, is released once, and takes no order afterwards", async ({ scope }) => {
    const before = harness.media.health().sessions;
    const { session, gateway } = await talk(scope);
    expect(harness.media.health().sessions).toBe(before + 1);
    expect(await session.stats()).toMatchObject({
      codec: "PCMU",
      a: { packets: 0, lost: 0 },
      b: { packets: 0, lost: 0 },
    });
    expect(await session.unheard()).toEqual(["a", "b"]);
    expect(await session.close()).toMatchObject({ codec: "PCMU", a: { packets: 0 } });
    expect(harness.media.health().sessions).toBe(before);
    await expect(session.offer("b", gateway.sdp({ lines: [events, "a=sendonly"] }))).rejects.toMatchObject({
      code: "engine",
    });
  });

  describe("a trunk's dialog", () => {
    test("reads one description that changes, in the next session too", async ({ scope }) => {
      const leg = newCall();
      const { session } = await open(scope, { a: client, b: trunkOf(leg) }, leg);
      const [id, version] = originOf(await session.describe("b"));
      await session.handOver("b");
      await session.close();
      const next = await open(scope, { a: client, b: trunkOf(leg) });
      const [nextId, nextVersion] = originOf(await next.session.describe("b"));
      expect(nextId).toBe(id);
      expect(Number(nextVersion)).toBeGreaterThanOrEqual(Number(version));
    });

    test("that nobody handed over begins anew", async ({ scope }) => {
      const leg = newCall();
      const { session } = await open(scope, { a: client, b: trunkOf(leg) }, leg);
      const [id] = originOf(await session.describe("b"));
      await session.close();
      const next = await open(scope, { a: client, b: trunkOf(leg) });
      expect(originOf(await next.session.describe("b"))[0]).not.toBe(id);
    });

    test("goes on in another session when what carried it dies", async ({ scope }) => {
      const leg = newCall();
      const { session, facts } = await open(scope, { a: client, b: trunkOf(leg) }, leg);
      const { gateway, person } = await peers(scope);
      const offer = await session.offer("a", await person.offer());
      await session.answer("b", gateway.sdp());
      await harness.crash();
      await expect.poll(() => facts.map(({ kind }) => kind)).toContain("media.lost");
      await expect(session.describe("b")).rejects.toMatchObject({ name: "MediaError", code: "engine" });
      expect(await session.close()).toMatchObject({ a: { packets: 0 } });
      const next = await open(scope, { a: client, b: trunkOf(leg) });
      const again = await next.session.describe("b");
      expect(originOf(again)[0]).toBe(originOf(offer.description)[0]);
      expect(again).toContain(" telephone-event/8000\r\n");
    });
  });
}

interface Peers {
  readonly person: ClientPeer;
  readonly gateway: TrunkPeer;
}

async function peers(scope: Scope, codec?: ClientCodec): Promise<Peers> {
  const person = new ClientPeer({ hz: 440, ...(codec && { codec }) });
  scope.add(() => person.close());
  const gateway = await TrunkPeer.open({ hz: 1000 });
  scope.add(async () => gateway.close());
  return { person, gateway };
}

/** The library connects as soon as it has candidates, which here come when the other end is ready. */
function withoutCandidates(sdp: string): string {
  return sdp.replaceAll(/a=(?:candidate|end-of-candidates).*\r\n/g, "");
}
