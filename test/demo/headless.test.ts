// The client without a browser, against the small homeserver and a ghost that does as it is told.
import { afterEach, describe, expect, it } from "vitest";
import { createHeadlessCaller, NoSuchNumber } from "../../dev/headless/caller.ts";
import { scriptedGhost } from "./scripted-ghost.ts";

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

async function rig() {
  const ghost = await scriptedGhost();
  const caller = await createHeadlessCaller({
    homeserverUrl: ghost.homeserver.url,
    user: "alice",
    password: "secret",
    toneHz: 800,
  });
  ending.push(
    () => caller.stop(),
    () => ghost.stop(),
  );
  return { ghost, caller };
}

async function answered() {
  const { ghost, caller } = await rig();
  const call = await caller.call("102");
  await ghost.join();
  await ghost.answer();
  await call.until(({ state }) => state === "connected");
  return { ghost, caller, call };
}

describe("a call that is placed", () => {
  it("is found under the number as it was typed, and invites before the ghost has joined", async () => {
    const { ghost, caller } = await rig();
    expect(caller.protocols).toEqual(["m.protocol.pstn"]);
    expect(await caller.lookup("102")).toBe("@_sip_102:localhost");
    await expect(caller.call("103")).rejects.toBeInstanceOf(NoSuchNumber);

    const call = await caller.call("102");
    const { content, room_id, sender } = await ghost.invite();
    expect(sender).toBe(caller.userId);
    expect(room_id).toBe(call.roomId);
    expect(content).toMatchObject({
      version: "1",
      party_id: caller.deviceId,
      lifetime: 60_000,
      offer: { type: "offer" },
    });
    expect(content).not.toHaveProperty("invitee");
    const { sdp } = content["offer"] as { sdp: string };
    expect(sdp).toContain("m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\n");
    expect(sdp).not.toContain("a=candidate");
    const trickled = await ghost.homeserver.eventWhere((event) => event.type === "m.call.candidates");
    const [first] = trickled.content["candidates"] as Record<string, unknown>[];
    expect(first).toMatchObject({
      sdpMid: "0",
      sdpMLineIndex: 0,
      usernameFragment: /a=ice-ufrag:(\S+)/.exec(sdp)?.[1],
    });
  });

  it("uses the room that it made before", async () => {
    const { caller } = await rig();
    const first = await caller.call("102");
    await first.hangup();
    const second = await caller.call("102");
    expect(second.roomId).toBe(first.roomId);
    expect(second.facts).toContainEqual(expect.objectContaining({ kind: "room", made: false }));
  });

  it("is taken back without a reason", async () => {
    const { ghost, caller } = await rig();
    const call = await caller.call("102");
    await call.hangup();
    const { content } = await ghost.homeserver.eventWhere((event) => event.type === "m.call.hangup");
    expect(content).not.toHaveProperty("reason");
    expect(call.end).toEqual({ by: "client", how: "hung up", reason: undefined });
  });

  it("hears a rejection and its reason, and not a hang-up, before the answer", async () => {
    const { ghost, caller } = await rig();
    const call = await caller.call("102");
    await ghost.join();
    await call.until(({ facts }) => facts.some(({ kind }) => kind === "ghost joined"));
    await ghost.send("m.call.hangup", { reason: "user_hangup" });
    await ghost.send("m.room.message", { msgtype: "m.notice", body: "The line is busy." });
    await call.until(({ notices }) => notices.includes("The line is busy."));
    expect(call.state).toBe("invited");
    await ghost.send("m.call.reject", { reason: "user_busy" });
    expect(await call.until(({ end }) => end)).toEqual({ by: "bridge", how: "rejected", reason: "user_busy" });
  });
});

describe("a call that is answered", () => {
  it("selects the answer, and hears what comes back", async () => {
    const { ghost, call } = await answered();
    const { content } = await ghost.homeserver.eventWhere((event) => event.type === "m.call.select_answer");
    expect(content["selected_party_id"]).toBe("ghost");
    await call.until(({ heardMs }) => heardMs >= 1_000);
    expect(call.heard()).toMatchObject({ hz: 800 });
    expect(call.heard().ratio).toBeGreaterThan(100);
    expect(call).toMatchObject({ codec: "PCMU", rtp: { ssrcs: [4_711], strangers: 0 } });
  });

  it("presses keys of 160 ms at 8 kHz", async () => {
    const { ghost, call } = await answered();
    await call.dtmf("42#");
    await call.until(() => ghost.presses.length === 3);
    expect(ghost.presses).toEqual(["4", "2", "#"].map((digit) => ({ digit, durationMs: 160 })));
    expect(ghost.payloadTypes).not.toContain(110);
  });

  it("holds and comes back", async () => {
    const { ghost, call } = await answered();
    for (const [act, offered, answer] of [
      [() => call.hold(), "sendonly", "recvonly"],
      [() => call.resume(), "sendrecv", "sendrecv"],
    ] as const) {
      const done = act();
      const { content } = await ghost.homeserver.eventWhere((event) => {
        const { sdp } = (event.content["description"] ?? {}) as { sdp?: string };
        return event.type === "m.call.negotiate" && sdp?.includes(`a=${offered}\r\n`) === true;
      });
      expect(content["description"]).toMatchObject({ type: "offer" });
      await ghost.send("m.call.negotiate", { description: { type: "answer", sdp: ghost.description(answer) } });
      await done;
      expect(call.facts.at(-1)).toMatchObject({ kind: "renegotiated", by: "client", direction: answer });
    }
  });

  it.each([
    ["sendonly", "recvonly"],
    ["inactive", "inactive"],
    ["sendrecv", "sendrecv"],
  ])("answers an offer that is %s with %s", async (offered, expected) => {
    const { ghost, call } = await answered();
    await ghost.send("m.call.negotiate", { description: { type: "offer", sdp: ghost.description(offered) } });
    const { content } = await ghost.homeserver.eventWhere(
      (event) => event.type === "m.call.negotiate" && event.sender !== "@_sip_102:localhost",
    );
    const { sdp, type } = content["description"] as { sdp: string; type: string };
    expect([type, sdp]).toEqual(["answer", expect.stringContaining(`a=${expected}\r\n`)]);
    expect(sdp).toContain("a=setup:passive\r\n");
    expect(call.state).toBe("connected");
  });

  it("listens to nobody but the party that answered, and ends when that hangs up", async () => {
    const { ghost, call } = await answered();
    await ghost.send("m.call.hangup", { party_id: "another", reason: "user_hangup" });
    await ghost.send("m.call.hangup", { reason: "user_hangup" });
    expect(await call.until(({ end }) => end)).toEqual({ by: "bridge", how: "hung up", reason: "user_hangup" });
    expect(call.facts.filter(({ kind }) => kind === "ended")).toHaveLength(1);
  });

  it("says why it hangs up", async () => {
    const { ghost, call } = await answered();
    await call.hangup();
    const { content } = await ghost.homeserver.eventWhere((event) => event.type === "m.call.hangup");
    expect(content["reason"]).toBe("user_hangup");
  });
});
