// Where the bridge looks for the media server, and how long it believes what it has found.
import { describe, expect, onTestFinished, test } from "vitest";
import type { UserId } from "../../../src/core/ids.ts";
import { Connections } from "../../../src/matrix/http/connections.ts";
import { HomeserverClient } from "../../../src/matrix/client/homeserver-client.ts";
import type { AskOutside, OutsideAnswer } from "../../../src/matrix/http/outside.ts";
import { MediaServices, type MediaServicesParts } from "../../../src/matrix/rtc/media-services.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";
import { collectingLog } from "../edge-rig.ts";
import { type ScriptedAnswer, startScripted } from "../scripted-homeserver.ts";

const service = "https://rtc.example.org/livekit/jwt";
const other = "https://rtc.example.com/livekit/jwt";
const transport = (livekit_service_url: string) => ({ type: "livekit", livekit_service_url });
const named = { status: 200, body: { rtc_transports: [transport(service)] } };
const unknown = { status: 404, body: { errcode: "M_UNRECOGNIZED", error: "Unrecognized request" } };
const away = { status: 502, body: "Bad Gateway" };

async function start(answers: readonly ScriptedAnswer[], more: Partial<MediaServicesParts> = {}) {
  const homeserver = await startScripted(answers);
  const clock = new VirtualClock();
  const outside: string[] = [];
  const ask: AskOutside = async ({ url }) => {
    outside.push(url);
    return { status: 404, body: undefined };
  };
  const log = collectingLog([]);
  const connections = new Connections(homeserver.url, "token");
  onTestFinished(() => connections.close());
  const services = new MediaServices({
    client: new HomeserverClient(connections, undefined, clock, log),
    sender: "@_sip_sender:example.org" as UserId,
    domain: "example.org",
    ask,
    configured: undefined,
    allowed: [],
    clock,
    log,
    ...more,
  });
  return { services, clock, outside, asked: homeserver.requests };
}

describe("the token service is", () => {
  test("the one that the homeserver names", async () => {
    const { services, outside } = await start([named]);
    expect(await services.own()).toBe(service);
    expect(services.isKnown).toBe(true);
    expect(outside).toEqual(["https://example.org/.well-known/matrix/client"]);
  });

  test("the one in .well-known, where the homeserver names none itself", async () => {
    const body = { "org.matrix.msc4143.rtc_foci": [{ type: "other" }, transport(`${service}/`)] };
    const { services } = await start([unknown], { ask: async () => ({ status: 200, body }) });
    expect(await services.own()).toBe(service);
  });

  test("the one in .well-known, where that has moved, over https alone and not for ever", async () => {
    const found = { status: 200, body: { "org.matrix.msc4143.rtc_foci": [transport(service)] } };
    const moved = (location: string) => ({ status: 301, body: undefined, location });
    const first = "https://example.org/.well-known/matrix/client";
    const reading = async (pages: Readonly<Record<string, OutsideAnswer>>) => {
      const asked: string[] = [];
      const ask: AskOutside = async ({ url }) => {
        asked.push(url);
        return pages[url] ?? { status: 404, body: undefined };
      };
      const { services } = await start([unknown], { ask });
      return { found: await services.advertised(), asked };
    };
    const www = "https://www.example.org/matrix.json";
    expect(await reading({ [first]: moved(www), [www]: found })).toEqual({ found: [service], asked: [first, www] });
    const plain = "http://www.example.org/matrix.json";
    expect(await reading({ [first]: moved(plain), [plain]: found })).toEqual({ found: [], asked: [first] });
    const { asked } = await reading({ [first]: moved(first) });
    expect(asked).toHaveLength(6);
  });

  test("the configured one, whatever the homeserver says; its own may be asked too", async () => {
    const { services } = await start([named], { configured: `${other}/` });
    expect(services.isKnown).toBe(true);
    expect(await services.own()).toBe(other);
    expect(await Promise.all([other, service, "https://evil.example"].map((one) => services.isAllowed(one)))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("none, which the error says with the setting", async () => {
    const { services } = await start([unknown]);
    await expect(services.own()).rejects.toMatchObject({
      code: "NO_MEDIA_SERVER",
      message: expect.stringContaining("rtc.livekit_service_url") as string,
    });
    expect(services.isKnown).toBe(false);
  });
});

describe("what the homeserver says is believed", () => {
  test("for ten minutes", async () => {
    const { services, clock, asked } = await start([named, unknown]);
    await services.own();
    clock.advance(10 * 60_000 - 1);
    await services.own();
    expect(asked).toHaveLength(1);
    clock.advance(1);
    await expect(services.own()).rejects.toThrow();
  });

  test("as long as it, or .well-known, is away", async () => {
    const byItself = await start([named, away]);
    const body = { "org.matrix.msc4143.rtc_foci": [transport(service)] };
    const answers = [{ status: 200, body }, { status: 503, body: undefined }, undefined];
    const ask: AskOutside = async () => {
      const answer = answers.shift();
      if (answer === undefined) throw new Error("connection refused");
      return answer;
    };
    const byWellKnown = await start([unknown], { ask });
    for (const { services, clock } of [byItself, byWellKnown, byWellKnown]) {
      await services.own();
      clock.advance(10 * 60_000);
      expect(await services.own()).toBe(service);
      expect(await services.isAllowed(service)).toBe(true);
      expect(services.isKnown).toBe(true);
    }
  });

  test("for a minute where it names none, and hardly where it is away", async () => {
    const { services, clock } = await start([away, unknown, named]);
    await expect(services.own()).rejects.toThrow();
    clock.advance(2_000);
    await expect(services.own()).rejects.toThrow();
    clock.advance(59_000);
    await expect(services.own()).rejects.toThrow();
    clock.advance(1_000);
    expect(await services.own()).toBe(service);
  });
});
