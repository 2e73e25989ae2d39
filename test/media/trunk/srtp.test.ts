// SRTP towards the trunk: the vectors of RFC 3711 B, what is opened and what is not, and a call over SDES.
import { createCipheriv, randomBytes } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { encodeRtp } from "../../../dev/audio/rtp.ts";
import { deriveKey, SrtpContext } from "../../../src/media/embedded/trunk/srtp.ts";
import { SrtpContexts } from "../../../src/media/embedded/trunk/srtp-contexts.ts";
import { SdesKeys } from "../../../src/media/negotiation/sdes-keys.ts";
import { byePacket, readRtcp } from "../../../src/media/embedded/rtp/rtcp.ts";
import { startRig, type Rig } from "../peers/rig.ts";
import { bothHz, connect, clientHz, startTalk, trunkHz } from "../peers/talk.ts";
import { test } from "../peers/scope.ts";
import { ClientPeer } from "../peers/client-peer.ts";
import { TrunkPeer } from "../peers/trunk-peer.ts";

const suite = "AES_CM_128_HMAC_SHA1_80";

const noPacket = Buffer.alloc(0);

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ""), "hex");
}

/** RTP with a payload that tells its sequence number. */
function rtp(sequence: number, ssrc = 0xcafe_babe): Buffer {
  const payload = Buffer.alloc(160, sequence & 255);
  return Buffer.from(encodeRtp({ payloadType: 0, marker: false, sequence, timestamp: sequence * 160, ssrc, payload }));
}

describe("the vectors of RFC 3711", () => {
  const master = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");

  test("B.3: session keys are derived from the master key", () => {
    expect(deriveKey(master, 0, 16)).toEqual(hex("C61E7A93744F39EE10734AFE3FF7A087"));
    expect(deriveKey(master, 2, 14)).toEqual(hex("30CBBC08863D8C85D49DB34A9AE1"));
    expect(deriveKey(master, 1, 94)).toEqual(
      hex(`CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE
        E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25
        6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2`),
    );
  });

  test("B.2: the keystream is AES in counter mode under salt and index", () => {
    const cipher = createCipheriv(
      "aes-128-ctr",
      hex("2B7E151628AED2A6ABF7158809CF4F3C"),
      hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000"),
    );
    expect(cipher.update(Buffer.alloc(32))).toEqual(
      hex("E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB"),
    );
  });

  test("a packet is what an independent reading of section 4 makes of it", () => {
    const packet = rtp(0x1234);
    const sealed = new SrtpContext(suite, master).protectRtp(Buffer.from(packet));
    const iv = Buffer.alloc(16);
    deriveKey(master, 2, 14).copy(iv);
    const mask = hex("00000000 CAFEBABE 000000001234 0000");
    for (const [index, octet] of mask.entries()) iv[index] = (iv[index] ?? 0) ^ octet;
    const cipher = createCipheriv("aes-128-ctr", deriveKey(master, 0, 16), iv);
    expect(sealed.subarray(12, 172)).toEqual(cipher.update(packet.subarray(12)));
    expect(sealed.subarray(0, 12)).toEqual(packet.subarray(0, 12));
    expect(sealed).toHaveLength(182);
  });
});

describe.each([suite, "AES_CM_128_HMAC_SHA1_32"] as const)("%s", (each) => {
  const pair = (): [SrtpContext, SrtpContext] => {
    const master = randomBytes(30);
    return [new SrtpContext(each, master), new SrtpContext(each, master)];
  };

  test("what is sealed can be opened, in any order within the window, once", () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.shuffledSubarray([...Array(40).keys()], { minLength: 2 }), (start, order) => {
        const [out, back] = pair();
        const sealed = Array.from({ length: 40 }, (_, index) => out.protectRtp(rtp((start + index) & 0xffff)));
        expect(back.openRtp(Buffer.from(sealed[0] ?? []))).toEqual(rtp(start));
        for (const index of order.filter((position) => position > 0)) {
          const packet = sealed[index] ?? Buffer.alloc(0);
          expect(back.openRtp(Buffer.from(packet))).toEqual(rtp((start + index) & 0xffff));
          expect(back.openRtp(Buffer.from(packet))).toBeUndefined();
        }
      }),
      { numRuns: 50 },
    );
  });

  test("the roll-over of the sequence number is followed, also with the last packets before it lost", () => {
    const [out, back] = pair();
    for (const sequence of [65_000, 65_300, 65_530, 3, 200, 20_000, 40_000, 65_534, 1]) {
      const sealed = out.protectRtp(rtp(sequence));
      expect(back.openRtp(sealed)).toEqual(rtp(sequence));
    }
  });

  test("a stream whose beginning was missed is opened, also if it has rolled over meanwhile", () => {
    const [out, back] = pair();
    const sealed = [65_534, 65_535, 0, 1].map((sequence) => out.protectRtp(rtp(sequence)));
    expect(back.openRtp(sealed[3] ?? noPacket)).toEqual(rtp(1));
    expect(back.openRtp(sealed[1] ?? noPacket)).toEqual(rtp(65_535));
    expect(back.openRtp(out.protectRtp(rtp(2)))).toEqual(rtp(2));
  });

  test("no changed packet is opened, and a forged one does not move the window", () => {
    const [out, back] = pair();
    expect(back.openRtp(out.protectRtp(rtp(10)))).toBeDefined();
    const sealed = out.protectRtp(rtp(11));
    for (let index = 0; index < sealed.length; index += 7) {
      const changed = Buffer.from(sealed);
      changed[index] = (changed[index] ?? 0) ^ 0x10;
      expect(back.openRtp(changed)).toBeUndefined();
    }
    expect(back.openRtp(sealed)).toBeDefined();
  });

  test("RTCP is sealed and opened with its own index, once", () => {
    const [out, back] = pair();
    const packet = byePacket(0x1111_2222, "name");
    const [first, second] = [out.protectRtcp(packet), out.protectRtcp(packet)];
    expect(first).not.toEqual(second);
    expect(back.openRtcp(Buffer.from(second))).toEqual(packet);
    expect(back.openRtcp(Buffer.from(second))).toBeUndefined();
    expect(back.openRtcp(Buffer.from(first))).toEqual(packet);
    first[9] = (first[9] ?? 0) ^ 1;
    expect(back.openRtcp(first)).toBeUndefined();
  });

  test("noise is never opened and never throws", () => {
    const [, back] = pair();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(back.openRtp(Buffer.from(noise))).toBeUndefined();
        expect(back.openRtcp(Buffer.from(noise))).toBeUndefined();
      }),
    );
  });
});

describe("our key", () => {
  const line = (inline: string) => ({ tag: 1, suite, inline: inline.repeat(40), mkiLength: 0 }) as const;

  test("stays for a peer that goes on with its own", () => {
    const keys = new SdesKeys();
    const first = keys.accept([line("A")]);
    const again = keys.accept([line("A")]);
    expect(again.line).toEqual(first.line);
    expect(again.keys).toEqual(first.keys);
  });

  test("is a new one for a peer with a new one, so that both count roll-overs from zero", () => {
    const keys = new SdesKeys();
    const first = keys.accept([line("A")]);
    const contexts = new SrtpContexts();
    const before = contexts.adopt(first.keys);
    for (const sequence of [65_535, 0]) before.outbound.protectRtp(rtp(sequence));
    const next = keys.accept([line("B")]);
    expect(next.line.inline).not.toBe(first.line.inline);
    const theirs = new SrtpContext(suite, Buffer.from(next.line.inline, "base64"));
    expect(theirs.openRtp(contexts.adopt(next.keys).outbound.protectRtp(rtp(1)))).toEqual(rtp(1));
    expect(keys.offer.map(({ inline }) => inline)).toContain(next.line.inline);
  });
});

describe.concurrent("a call over SRTP", () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(async () => {
    await rig.engine.stop();
  });

  test.concurrent.for([
    [1, "AES_CM_128_HMAC_SHA1_80"],
    [2, "AES_CM_128_HMAC_SHA1_32"],
  ] as const)(
    "with line %i, %s, both tones are heard, and none of it is in the clear",
    async ([tag, chosen], { scope }) => {
      const client = new ClientPeer({ hz: clientHz });
      scope.add(() => client.close());
      const trunk = await TrunkPeer.open({ hz: trunkHz });
      scope.add(async () => trunk.close());
      const { session, fact } = await rig.open({ srtp: "required" });
      scope.add(async () => session.close());
      const { description: sdp } = await session.offer("a", await client.offer());
      expect(sdp).toMatch(/m=audio \d+ RTP\/SAVP 0/);
      const theirs = new RegExp(`a=crypto:${tag} ${chosen} inline:(\\S{40})\r\n`).exec(sdp)?.[1] ?? "";
      const ours = randomBytes(30);
      const [out, back] = [new SrtpContext(chosen, ours), new SrtpContext(chosen, Buffer.from(theirs, "base64"))];
      trunk.cipher = { seal: (packet) => out.protectRtp(packet), open: (packet) => back.openRtp(packet) };
      trunk.aim(sdp);
      const words = {
        protocol: "RTP/SAVP",
        lines: [`a=crypto:${tag} ${chosen} inline:${ours.toString("base64")}`, "a=rtpmap:101 telephone-event/8000"],
      };
      await connect(client, session, await session.answer("b", trunk.sdp(words)));
      await fact("media.connected");
      client.speak();
      trunk.speak();
      const heard = await Promise.all([trunk.ear.nextSecond(bothHz), client.ear.nextSecond(bothHz)]);
      expect(heard.map((each) => each.hz)).toEqual([clientHz, trunkHz]);

      // A re-INVITE with the same keys goes on with the same packet index; in the clear it is refused.
      const again = await session.offer("b", trunk.sdp(words));
      expect(again.description).toContain(`a=crypto:${tag} ${chosen} inline:${theirs}`);
      await expect(session.offer("b", trunk.sdp())).rejects.toMatchObject({ code: "encryption-mismatch" });
      const still = await Promise.all([trunk.ear.nextSecond(bothHz), client.ear.nextSecond(bothHz)]);
      expect(still.map((each) => each.hz)).toEqual([clientHz, trunkHz]);
    },
  );

  test.concurrent("packets in the clear are not let in", async ({ scope }) => {
    const { client, trunk } = await startTalk(rig, scope, {
      media: { srtp: "required" },
      answer: {
        protocol: "RTP/SAVP",
        lines: [`a=crypto:1 ${suite} inline:${randomBytes(30).toString("base64")}`],
      },
    });
    const packetCount = 20;
    await new Promise<void>((resolve) => {
      let sent = 0;
      const timer = setInterval(() => {
        sent += 1;
        if (sent < packetCount) return;
        clearInterval(timer);
        resolve();
      }, 20);
    });
    expect(trunk.ear.packets.every((packet) => packet.payload.length === 170)).toBe(true);
    expect(client.ear.packets).toHaveLength(0);
  });

  test.concurrent("no report is sent in the clear, the last one neither", async ({ scope }) => {
    const crypto = `a=crypto:1 ${suite} inline:${randomBytes(30).toString("base64")}`;
    const { trunk, session } = await startTalk(rig, scope, {
      media: { srtp: "required" },
      answer: { protocol: "RTP/SAVP", lines: [crypto] },
    });
    await trunk.ear.until(() => trunk.ear.packets.length > 0);
    await session.close();
    // E, with the index of an encrypted packet, before the tag (RFC 3711 s3.4).
    const isSealed = (bytes: Buffer): boolean => (bytes.at(-14) ?? 0) >= 0x80;
    await trunk.report(() => true);
    expect(trunk.rtcp.length).toBeGreaterThan(0);
    expect(trunk.rtcp.filter((bytes) => !isSealed(bytes) || readRtcp(bytes).isBye)).toEqual([]);
  });

  test.concurrent("an answer that accepts none of our keys is refused", async ({ scope }) => {
    await expect(
      startTalk(rig, scope, {
        media: { srtp: "required" },
        answer: { protocol: "RTP/SAVP", lines: [`a=crypto:9 ${suite} inline:${"A".repeat(40)}`] },
      }),
    ).rejects.toMatchObject({ code: "encryption-mismatch" });
  });
});
