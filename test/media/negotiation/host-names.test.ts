// Host names where a trunk's SDP has an address.
import { afterAll, beforeAll, describe, expect, onTestFinished, test as plain, vi } from "vitest";
import { withAddresses, type LookUp } from "../../../src/media/negotiation/host-names.ts";
import { startRig, type Rig } from "../peers/rig.ts";
import { test } from "../peers/scope.ts";
import { bothHz, clientHz, startTalk, trunkHz } from "../peers/talk.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => rig.engine.stop());

function sdpWith(...connections: readonly string[]): string {
  return ["v=0", "o=- 1 1 IN IP4 media.example", ...connections.map((each) => `c=IN ${each}`), ""].join("\r\n");
}

const known: LookUp = async (host, family) => {
  const address = { "media.example": { 4: "192.0.2.7", 6: "2001:db8::7" } }[host]?.[family];
  if (address === undefined) throw new Error("ENOTFOUND");
  return address;
};

test("a trunk whose SDP names a host is heard, and hears", async ({ scope }) => {
  const { client, trunk } = await startTalk(rig, scope, { answer: { address: "localhost" } });
  const [atTrunk, atClient] = await Promise.all([trunk.ear.nextSecond(bothHz), client.ear.nextSecond(bothHz)]);
  expect([atTrunk.hz, atClient.hz]).toEqual([clientHz, trunkHz]);
});

test("a name that nobody knows is refused, and the call can go on", async ({ scope }) => {
  const wrong = startTalk(rig, scope, { answer: { address: "nobody.invalid" } });
  await expect(wrong).rejects.toMatchObject({ code: "bad-description" });
});

describe("the c= lines", () => {
  plain("have the address of the name in their family, and the rest of the text stays", async () => {
    expect(await withAddresses(sdpWith("IP4 media.example"), known)).toBe(sdpWith("IP4 192.0.2.7"));
    expect(await withAddresses(sdpWith("IP6 media.example"), known)).toBe(sdpWith("IP6 2001:db8::7"));
    expect(await withAddresses(sdpWith("IP4 192.0.2.9", "IP4 media.example"), known)).toBe(
      sdpWith("IP4 192.0.2.9", "IP4 192.0.2.7"),
    );
  });

  plain.each([
    "IP4 unknown.example",
    "IP4 a..b",
    "IP4 -a.example",
    "IP4 media.example/127",
    "IP4 media.example extra",
    "IP4 1.2.3",
    "IP4 999.1.1.1",
    `IP4 ${"a".repeat(64)}.example`,
    `IP4 ${"a.".repeat(200)}example`,
    "IP4 media_example",
    "IP4 media.example;reboot",
    "IP5 media.example",
  ])("stay as they are: %s", async (connection) => {
    expect(await withAddresses(sdpWith(connection), known)).toBe(sdpWith(connection));
  });

  plain("with many names are asked for none of them", async () => {
    const asked: string[] = [];
    const many = sdpWith(...Array.from({ length: 30 }, (_, index) => `IP4 n${index}.example`));
    const lookUp: LookUp = async (host) => {
      asked.push(host);
      return "192.0.2.1";
    };
    expect(await withAddresses(many, lookUp)).toBe(many);
    expect(asked).toEqual([]);
  });

  plain("take no answer in the wrong family", async () => {
    const sdp = sdpWith("IP4 media.example");
    expect(await withAddresses(sdp, async () => "2001:db8::7")).toBe(sdp);
  });

  plain("are looked up for each of many calls that begin at once, and a name of theirs only once", async () => {
    const asked: string[] = [];
    let atOnce = 0;
    const slow: LookUp = async (host) => {
      asked.push(host);
      atOnce += 1;
      expect(atOnce).toBeLessThanOrEqual(2);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      return "192.0.2.7";
    };
    const names = ["a.example", "b.example", "a.example", "c.example", "d.example", "a.example"];
    const texts = await Promise.all(names.map(async (name) => withAddresses(sdpWith(`IP4 ${name}`), slow)));
    expect(texts).toEqual(names.map(() => sdpWith("IP4 192.0.2.7")));
    expect(asked.toSorted()).toEqual(["a.example", "b.example", "c.example", "d.example"]);
  });

  plain("wait two seconds for a resolver that hangs, and such ones do not pile up", async () => {
    const sdp = sdpWith("IP4 media.example");
    let asked = 0;
    const hanging: LookUp = async () => {
      asked += 1;
      return new Promise(() => undefined);
    };
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const all = Promise.all(Array.from({ length: 20 }, async () => withAddresses(sdp, hanging)));
    await vi.advanceTimersByTimeAsync(2_000);
    const texts = await all;
    expect(new Set(texts)).toEqual(new Set([sdp]));
    expect(asked).toBeLessThanOrEqual(2);
  });
});
