// The softphone of the demo in two real Chromiums, on the small homeserver: one dials, the
// other answers, each hears the other's tone.
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import type { Homeserver } from "../../../dev/homeserver/homeserver.ts";
import { startHomeserver } from "../../../dev/homeserver/homeserver.ts";
import { serveSoftphone } from "../../../dev/softphone/serve.ts";
import { startAppserviceDouble } from "../../contract/appservice-double.ts";
import { clientOf } from "../../contract/client-request.ts";
import type { Rig } from "../parts/base/rig.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { hears, inPhase, openPage, silent, stateOf } from "../parts/clients/softphone.ts";

const domain = "example.org";
const aliceHz = 440;
const bobHz = 1000;
const password = "secret";

describe("the softphone", () => {
  const rig = suiteRig("softphone");
  let homeserver: Homeserver;
  let alice: Page;
  let bob: Page;

  beforeAll(async () => {
    const appservice = await startAppserviceDouble(domain);
    rig.defer("application service", () => appservice.stop());
    // Bob stands for the number 2002; other numbers do not exist.
    appservice.answer(({ target }) => target.includes("/thirdparty/user/") && target.endsWith("=2002"), {
      status: 200,
      body: [{ userid: `@bob:${domain}`, protocol: "m.protocol.pstn", fields: {} }],
    });
    homeserver = await startHomeserver({
      domain,
      registrations: [appservice.registration],
      users: [
        { localpart: "alice", password, displayname: "Alice" },
        { localpart: "bob", password, displayname: "Bob" },
      ],
    });
    rig.defer("homeserver", () => homeserver.stop());
    [alice, bob] = await Promise.all([
      openSoftphone(rig, homeserver, "alice", aliceHz),
      openSoftphone(rig, homeserver, "bob", bobHz),
    ]);
  }, 60_000);

  test("calls a number that is typed on its pad, and both sides hear each other", async () => {
    for (const key of "2002") await alice.getByRole("button", { name: key }).first().click();
    await alice.getByRole("button", { name: "Call", exact: true }).click();
    await inPhase(alice, "ringing");
    await expect.poll(() => alice.locator("#status").textContent()).toBe("Ringing…");

    const invite = await homeserver.eventWhere(({ type }) => type === "m.call.invite");
    expect(invite.content).toMatchObject({ version: "1", lifetime: 60_000, offer: { type: "offer" } });
    await joinAsBob(homeserver, invite.room_id);
    await inPhase(bob, "incoming");
    expect(await bob.locator("#peer").textContent()).toBe("Alice");
    // As a bridge would, Bob says that he takes digits.
    await bob.route("**/send/m.call.answer/**", async (route) => {
      const body = route.request().postDataJSON() as { capabilities?: object };
      await route.continue({
        postData: JSON.stringify({ ...body, capabilities: { ...body.capabilities, "m.call.dtmf": true } }),
      });
    });
    await bob.getByRole("button", { name: "Answer" }).click();
    await Promise.all([inPhase(alice, "talking"), inPhase(bob, "talking")]);
    expect(await alice.locator("#status").textContent()).toMatch(/^In call 00:\d\d$/);
    await Promise.all([hears(alice, bobHz), hears(bob, aliceHz)]);
    await expect
      .poll(async () => Number(await alice.locator("#level").getAttribute("aria-valuenow")))
      .toBeGreaterThan(40);
    await alice.screenshot({ path: rig.path("talking.png") });
  });

  test("sends digits in the call, from the pad and from the keyboard", async () => {
    await alice.getByRole("button", { name: "7" }).first().click();
    await alice.keyboard.press("#");
    await expect.poll(async () => (await stateOf(alice, "talking")).digits).toBe("7#");
  });

  test("mutes and holds, and the other side hears nothing meanwhile", async () => {
    await alice.getByRole("button", { name: "Mute" }).click();
    await silent(bob);
    await alice.getByRole("button", { name: "Unmute" }).click();
    await hears(bob, aliceHz);
    await alice.getByRole("button", { name: "Hold" }).click();
    await expect.poll(async () => (await stateOf(bob, "talking")).isHeldByPeer).toBe(true);
    expect(await alice.locator("#status").textContent()).toMatch(/^On hold/);
    await silent(bob);
    await alice.getByRole("button", { name: "Resume" }).click();
    await expect.poll(async () => (await stateOf(bob, "talking")).isHeldByPeer).toBe(false);
    await Promise.all([hears(alice, bobHz), hears(bob, aliceHz)]);
  });

  test("shows what the room is told", async () => {
    const { room_id: roomId } = await homeserver.eventWhere(({ type }) => type === "m.call.invite");
    const { client } = await logIn(homeserver, "bob");
    await client("PUT", `/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/notice`, {
      msgtype: "m.notice",
      body: "This number is not in service",
    });
    await alice.getByText("This number is not in service").waitFor();
  });

  test("ends when the other side hangs up, and says how long it was", async () => {
    await bob.getByRole("button", { name: "Hang up" }).click();
    await inPhase(alice, "idle");
    expect(await alice.locator("#status").textContent()).toMatch(/^Ended after \d\d:\d\d$/);
  });

  test("calls again in the same room, and says that the other side declined", async () => {
    const rooms = roomsMade(homeserver);
    await alice.getByRole("button", { name: "Call", exact: true }).click();
    await inPhase(bob, "incoming");
    await bob.keyboard.press("Escape");
    await inPhase(alice, "idle");
    expect(await alice.locator("#status").textContent()).toBe("Declined");
    expect(roomsMade(homeserver)).toBe(rooms);
  });

  test("says so where the number does not exist, and takes the number by keyboard alone", async () => {
    await alice.locator("#number").fill("");
    await alice.locator("#status").click();
    await alice.keyboard.type("404");
    await alice.keyboard.press("Enter");
    await expect.poll(() => alice.locator("#status").textContent()).toBe("No such number");
  });
});

async function openSoftphone(rig: Rig, homeserver: Homeserver, user: string, toneHz: number): Promise<Page> {
  const softphone = await serveSoftphone({ homeserverUrl: homeserver.url, user, password, numbers: [] });
  rig.defer(`softphone of ${user}`, () => softphone.stop());
  return await openPage(rig, softphone.url, user, toneHz);
}

const roomsMade = (homeserver: Homeserver) => homeserver.events().filter(({ type }) => type === "m.room.create").length;

async function logIn(homeserver: Homeserver, user: string) {
  const { body } = await clientOf(homeserver.url)("POST", "/v3/login", {
    type: "m.login.password",
    identifier: { type: "m.id.user", user },
    password,
  });
  return { client: clientOf(homeserver.url, String(body["access_token"])) };
}

// Clients ring only in rooms joined; a bridge's ghost joins at once, Bob is helped.
async function joinAsBob(homeserver: Homeserver, roomId: string): Promise<void> {
  const { client } = await logIn(homeserver, "bob");
  expect(await client("POST", `/v3/join/${encodeURIComponent(roomId)}`, {})).toMatchObject({ status: 200 });
}
