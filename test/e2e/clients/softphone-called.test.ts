// The demo as a newcomer sees it: the page in a real Chromium is rung by the gateway over the whole bridge, answers, is
// heard and hears, holds, sends the call on, declines.
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { PERSON } from "../../../dev/demo/config-text.ts";
import { ringPerson } from "../../../dev/demo/ring.ts";
import { startStack, type Stack } from "../../../dev/demo/stack.ts";
import type { GatewayCall } from "../../../dev/gateway/gateway.ts";
import { serveSoftphone } from "../../../dev/softphone/serve.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { hears, inPhase, openPage, silent, stateOf } from "../parts/clients/softphone.ts";

const personHz = 1_000;
const gatewayHz = 440;
/** The last stroke of the chime that the gateway plays while it holds somebody. */
const chimeHz = 392;
const thirdNumber = "02079460103";

describe("the softphone that is called", () => {
  const rig = suiteRig("softphone-called");
  let stack: Stack;
  let page: Page;
  let far: GatewayCall;

  beforeAll(async () => {
    const log = rig.log("bridge");
    stack = await startStack({
      transport: "udp",
      configPath: undefined,
      gatewayLog: () => undefined,
      bridgeLog: (line) => log.append(line),
    });
    rig.defer("demo", () => stack.stop());
    const softphone = await serveSoftphone({
      homeserverUrl: stack.homeserver.url,
      user: PERSON.localpart,
      password: PERSON.password,
      numbers: [],
      ownNumber: PERSON.number,
      ring: async () => {
        far = await ringPerson(stack, { sound: { hz: gatewayHz } });
      },
    });
    rig.defer("softphone", () => softphone.stop());
    page = await openPage(rig, softphone.url, PERSON.localpart, personHz);
  }, 60_000);

  const press = (name: string): Promise<void> => page.getByRole("button", { name, exact: true }).click();

  const isHeard = (call: GatewayCall, hz: number): Promise<boolean> =>
    stack.gateway.until(() => call.heard(1_000, [440, 1_000]).hz === hz && call.heard(1_000, [hz]).ratio > 50);

  test("rings when its button asks the gateway for a call, and says who it is", async () => {
    expect(await page.locator("#own-number").textContent()).toBe(PERSON.number);
    await press("Let the gateway call me");
    await inPhase(page, "incoming");
    expect(await page.locator("#status").textContent()).toBe("Incoming call");
    expect(await page.locator("#peer").textContent()).toBe("The gateway");
    await stack.gateway.until(() => far.statuses.includes(180));
    await page.screenshot({ path: rig.path("ringing.png") });
  });

  test("answers, and both sides hear each other", async () => {
    await press("Answer");
    await inPhase(page, "talking");
    await Promise.all([hears(page, gatewayHz), isHeard(far, personHz)]);
    await page.screenshot({ path: rig.path("talking.png") });
  });

  test("presses a key, and the gateway gets it", async () => {
    await page.keyboard.press("5");
    await stack.gateway.until(() => far.digits.length > 0);
    expect(far.digits.map(({ digit }) => digit)).toEqual(["5"]);
  });

  test("is held by the gateway and holds it, and both come back", async () => {
    await far.hold();
    // The person sees it, and hears what the gateway plays meanwhile.
    expect(far.peerDirection).toBe("recvonly");
    await expect.poll(async () => (await stateOf(page, "talking")).isHeldByPeer).toBe(true);
    await hears(page, chimeHz);
    await far.resume();
    await expect.poll(async () => (await stateOf(page, "talking")).isHeldByPeer).toBe(false);
    await hears(page, gatewayHz);
    await press("Hold");
    await stack.gateway.until(() => far.peerDirection !== "sendrecv");
    await silent(page);
    await press("Resume");
    await stack.gateway.until(() => far.peerDirection === "sendrecv");
    await Promise.all([hears(page, gatewayHz), isHeard(far, personHz)]);
  });

  test("says so where it would send the call on to a number that is none", async () => {
    await page.locator("#transfer-to").fill("@");
    await press("Transfer");
    await expect.poll(() => page.locator("#transfer-problem").textContent()).toBe("No such number");
  });

  test("sends the gateway on to a number, which then hears the gateway", async () => {
    await page.locator("#transfer-to").fill(thirdNumber);
    await page.screenshot({ path: rig.path("transfer.png") });
    await page.keyboard.press("Enter");
    await inPhase(page, "idle");
    expect(await page.locator("#status").textContent()).toBe("Transferred");
    const third = await stack.gateway.until((calls) =>
      calls.find((call) => call.direction === "in" && call.number.endsWith(thirdNumber.slice(1))),
    );
    await isHeard(third, gatewayHz);
    expect(await stack.gateway.until(() => far.end)).toMatchObject({ by: "callee", how: "bye" });
  });

  test("declines, and misses a call, and sees so", async () => {
    await press("Let the gateway call me");
    await inPhase(page, "incoming");
    await press("Decline");
    await inPhase(page, "idle");
    expect(await stack.gateway.until(() => far.end)).toMatchObject({ by: "callee", how: "refused", status: 603 });

    await press("Let the gateway call me");
    await inPhase(page, "incoming");
    await far.hangUp();
    await inPhase(page, "idle");
    expect(await page.locator("#status").textContent()).toBe("Missed call");
  });
});
