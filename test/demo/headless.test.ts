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

describe("a call that comes", () => {
  async function ringing(more: Record<string, unknown> = {}) {
    const { ghost, caller } = await rig();
    const roomId = await ghost.makeRoom(caller.userId);
    await ghost.ring(roomId, more);
    return { ghost, caller, roomId };
  }

  it("rings in a room that the person was invited to, and tells what the caller can do", async () => {
    const { caller, roomId } = await ringing({
      invitee: "@alice:localhost",
      capabilities: { "m.call.dtmf": true, "m.call.transferee": true },
    });
    const call = await caller.incoming();
    expect(call).toMatchObject({ direction: "in", roomId, state: "ringing", user: "@_sip_102:localhost" });
    expect(call.capabilities).toEqual({ "m.call.dtmf": true, "m.call.transferee": true });
  });

  it("rings for nobody who is not meant, and not when it is too old", async () => {
    const { ghost, caller, roomId } = await ringing({ invitee: "@bob:localhost" });
    await ghost.ring(roomId, { call_id: "old", lifetime: 2_900 });
    await ghost.ring(roomId, { call_id: "good" });
    expect((await caller.incoming()).matrixCallId).toBe("good");
    expect(caller.calls).toHaveLength(1);
  });

  it("is declined without a reason", async () => {
    const { ghost, caller } = await ringing();
    const call = await caller.incoming();
    await call.decline();
    const { content } = await ghost.homeserver.eventWhere((event) => event.type === "m.call.reject");
    expect(content).toMatchObject({ version: "1", call_id: call.matrixCallId, party_id: caller.deviceId });
    expect(content).not.toHaveProperty("reason");
    expect(call.end).toEqual({ by: "client", how: "rejected", reason: undefined });
    await expect(call.answer()).rejects.toThrow("a call that is ended cannot be answered");
  });

  it("stops ringing when the caller gives up, and when the invite has run out", async () => {
    const { ghost, caller, roomId } = await ringing();
    const call = await caller.incoming();
    await ghost.say(roomId, "m.call.hangup", { reason: "user_hangup" });
    expect(await call.until(({ end }) => end)).toEqual({ by: "bridge", how: "hung up", reason: "user_hangup" });
    await ghost.ring(roomId, { call_id: "short", lifetime: 3_500 });
    const short = await caller.incoming();
    expect(await short.until(({ end }) => end)).toMatchObject({ how: "invite timeout" });
  });

  it("is answered elsewhere when another party is selected, or another device declines", async () => {
    const { ghost, caller, roomId } = await ringing();
    const call = await caller.incoming();
    await ghost.say(roomId, "m.call.select_answer", { selected_party_id: "another" });
    expect(await call.until(({ end }) => end)).toMatchObject({ by: "device", how: "answered elsewhere" });

    const options = { homeserverUrl: ghost.homeserver.url, user: "alice", password: "secret" };
    const second = await createHeadlessCaller(options);
    ending.unshift(() => second.stop());
    await ghost.ring(roomId, { call_id: "next" });
    const [here, there] = await Promise.all([caller.incoming(), second.incoming()]);
    await there.decline();
    expect(await here.until(({ end }) => end)).toMatchObject({ by: "device", how: "declined elsewhere" });
  });

  it("cannot be answered where nothing that it offers can be played", async () => {
    const { ghost, caller } = await ringing();
    const call = await caller.incoming();
    await call.answer();
    expect(call.end).toEqual({ by: "client", how: "media failed", reason: "user_media_failed" });
    const { content } = await ghost.homeserver.eventWhere((event) => event.type === "m.call.hangup");
    expect(content["reason"]).toBe("user_media_failed");
  });

  it("stays unheard by a client that joins no rooms", async () => {
    const ghost = await scriptedGhost();
    const options = { homeserverUrl: ghost.homeserver.url, user: "alice", password: "secret", joins: false };
    const caller = await createHeadlessCaller(options);
    ending.push(
      () => caller.stop(),
      () => ghost.stop(),
    );
    const roomId = await ghost.makeRoom(caller.userId);
    await ghost.ring(roomId);
    await ghost.homeserver.eventWhere((event) => event.type === "m.call.invite");
    expect(caller.calls).toEqual([]);
    // Who joins while it rings can still answer.
    await caller.join(roomId);
    expect((await caller.incoming()).matrixCallId).toBe("zzz-ringing");
  });
});

describe("a transfer", () => {
  it("names whom the other end is sent to, and ends here without a hang-up", async () => {
    const { ghost, caller, call } = await answered();
    await call.transfer("@_sip_102:localhost");
    const { content } = await ghost.homeserver.eventWhere((event) => event.type === "m.call.replaces");
    expect(content).toMatchObject({
      version: "1",
      call_id: call.matrixCallId,
      party_id: caller.deviceId,
      target_user: { id: "@_sip_102:localhost" },
      create_call: expect.any(String),
    });
    expect(content).not.toHaveProperty("await_call");
    expect(call.end).toEqual({ by: "client", how: "transferred", reason: undefined });
    expect(ghost.homeserver.events().some(({ type }) => type === "m.call.hangup")).toBe(false);
  });

  it("shows who is at the other end now, once, whichever name it comes under", async () => {
    const { ghost, call } = await answered();
    for (const type of ["m.call.asserted_identity", "org.matrix.call.asserted_identity"]) {
      await ghost.send(type, { asserted_identity: { display_name: "Carol" } });
    }
    await ghost.send("m.call.asserted_identity", { asserted_identity: { display_name: "Dave" } });
    await call.until(({ facts }) => facts.some((fact) => fact.kind === "identified" && fact.displayName === "Dave"));
    expect(call.facts.filter(({ kind }) => kind === "identified")).toHaveLength(2);
  });
});
