// A client that has no keypad and takes no offers, such as Element Call: what people would press they write, and what their
// client cannot show is written to them.
import { describe, expect, test } from "vitest";
import { telephoneSays } from "../../fakes/descriptions.ts";
import { accepted, bob, TestBridge, type TestBridgeOptions } from "../test-bridge.ts";

const client = { abilities: { canRenegotiate: false, hasKeypad: false } };

async function talking(options: TestBridgeOptions = {}, abilities = client.abilities): Promise<TestBridge> {
  const bridge = new TestBridge(options);
  await bridge.enterRoom();
  await bridge.take(bridge.inviteFact({ abilities }));
  await bridge.sip(accepted);
  return bridge;
}

async function write(bridge: TestBridge, body: string, sender = bridge.origin().sender): Promise<void> {
  await bridge.take({ ...bridge.origin(sender), kind: "message.received", body, form: "text", edits: false });
}

const keysHeard = (bridge: TestBridge): string =>
  (bridge.media.engine.opened[0]?.digits ?? []).map(({ to, digit }) => `${to}${digit}`).join(" ");

describe("a person who talks with a client without a keypad", () => {
  test("writes keys, which the telephone hears in their order and does not read", async () => {
    const bridge = await talking();
    await write(bridge, "#12-3 *\n");
    expect(keysHeard(bridge)).toBe("b# b1 b2 b3 b*");
    expect(bridge.trunks.verbs).toEqual(["invite"]);
    expect(bridge.words).toEqual([]);
    expect(bridge.homeserver.read).toHaveLength(1);
  });

  test("writes keys for a trunk that takes them in INFO alone", async () => {
    const bridge = new TestBridge({ features: { dtmf: "info" } });
    await bridge.enterRoom();
    await bridge.take(bridge.inviteFact(client));
    await bridge.sip({ ...accepted, description: telephoneSays("no events", { formats: "0" }) });
    await write(bridge, "42");
    expect(bridge.trunks.orders.slice(1)).toMatchObject([
      { verb: "info", argument: "4" },
      { verb: "info", argument: "2" },
    ]);
  });

  test("transfers the call in words, to a number or to a person", async () => {
    for (const to of ["+44 20 7946 0999", "0207 946 0999"]) {
      const bridge = await talking({ features: { transfer: "refer" } });
      await write(bridge, `transfer ${to}`);
      expect(bridge.trunks.orders.at(-1)).toMatchObject({
        verb: "refer",
        argument: "sip:+442079460999@sip.example.org",
      });
    }
    const bridge = await talking();
    await write(bridge, `Transfer to ${bob}`);
    expect(bridge.homeserver.told.at(-1)).toMatchObject({ signal: { kind: "invite", invitee: bob } });
  });

  test("presses no keys and transfers nothing by what they wrote a minute before", async () => {
    const bridge = await talking({ features: { transfer: "refer" } });
    for (const body of ["12", "transfer +44 20 7946 0999"]) {
      const message = { kind: "message.received", body, form: "text", edits: false } as const;
      await bridge.take({ ...bridge.origin(), ...message, ageMs: 61_000 });
    }
    expect(keysHeard(bridge)).toBe("");
    expect(bridge.trunks.verbs).not.toContain("refer");
  });

  test("reads how to transfer, if they name nobody", async () => {
    const bridge = await talking();
    await write(bridge, "transfer");
    expect(bridge.words).toEqual(["To whom? Write a number or a Matrix user. Example: transfer +44 1632 960123"]);
    expect(bridge.switchboard.calls).toMatchObject([{ phase: { kind: "connected" } }]);
  });

  test("sends texts as ever: other words, other people's keys, and keys after the call", async () => {
    const bridge = await talking();
    await write(bridge, "room 12");
    await write(bridge, "12", bob);
    await bridge.sip({ kind: "sip.hungUp", q850: 16 });
    await write(bridge, "34");
    expect(keysHeard(bridge)).toBe("");
  });

  test("reads that the telephone holds, and that it goes on", async () => {
    const bridge = await talking({ notices: { failures: true, history: true } });
    await bridge.sip({ kind: "sip.offered", description: telephoneSays("hold", { lines: ["a=sendonly"] }) });
    await bridge.sip({ kind: "sip.offered", description: telephoneSays("hold more", { lines: ["a=inactive"] }) });
    await bridge.sip({ kind: "sip.offered", description: telephoneSays("back") });
    expect(bridge.trunks.verbs).toEqual(["invite", "answerReoffer", "answerReoffer", "answerReoffer"]);
    expect(bridge.words).toEqual(["You have been put on hold.", "The call goes on."]);
  });
});

test("digits that somebody writes whose client has a keypad are a text", async () => {
  const bridge = await talking({}, { canRenegotiate: true, hasKeypad: true });
  await write(bridge, "12");
  expect(keysHeard(bridge)).toBe("");
});
