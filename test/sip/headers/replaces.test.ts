// INVITE with Replaces (RFC 3891): whose place a new call takes, as the bridge is told.
import { describe, expect, it } from "vitest";
import type { CallId } from "../../../src/core/ids.ts";
import { parseReplaces } from "../../../src/sip/headers/replaces.ts";
import { callerRig, type CallerRig } from "../rig/caller.ts";
import { lines } from "../rig/peer.ts";
import { ANSWER } from "../rig/stack.ts";

interface Dialog {
  readonly sipCallId: string;
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

const replaces = ({ sipCallId, ours, theirs }: Dialog, more = ""): string =>
  `Replaces: ${sipCallId};from-tag=${theirs ?? "0"};to-tag=${ours ?? ""}${more}`;

async function answeredFor({ stack, caller }: CallerRig): Promise<{ call: CallId; dialog: Dialog }> {
  const placed = caller.invite();
  const { call, dialog } = await stack.arrival();
  stack.trunks.accept(call, ANSWER);
  placed.ack(await placed.response(200));
  return { call, dialog: { sipCallId: dialog.sipCallId, ours: dialog.localTag, theirs: dialog.remoteTag } };
}

/** A call of ours that rings at the peer. */
async function ringing({ peer, stack }: CallerRig): Promise<{ call: CallId; dialog: Dialog }> {
  const call = stack.invite();
  const invite = await peer.request("INVITE");
  peer.reply(invite, 180, { toTag: "early" });
  await stack.fact(call, "sip.ringing");
  const { sipCallId, fromTag } = invite.message;
  return { call, dialog: { sipCallId, ours: fromTag, theirs: "early" } };
}

describe("an INVITE that replaces", () => {
  it("a call that was answered names it", async () => {
    const all = await callerRig();
    const { call, dialog } = await answeredFor(all);
    all.caller.invite({ headers: [replaces(dialog), "Require: replaces"] });
    expect(await all.stack.arrival()).toMatchObject({ replaces: call });
  });

  it("a call of ours that still rings names it, also where it must be early", async () => {
    const all = await callerRig();
    const { call, dialog } = await ringing(all);
    all.caller.invite({ headers: [replaces(dialog, ";early-only")] });
    expect(await all.stack.arrival()).toMatchObject({ replaces: call });
  });

  it("a call that was answered, though it must be early, gets 486", async () => {
    const all = await callerRig();
    const { dialog } = await answeredFor(all);
    await all.caller.invite({ headers: [replaces(dialog, ";early-only")] }).response(486);
    expect(all.stack.arrivals).toHaveLength(1);
  });

  it("a call of theirs that still rings here gets 481", async () => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call, dialog } = await stack.arrival();
    stack.trunks.ring(call, 180);
    await placed.response(180);
    const { sipCallId, localTag: ours, remoteTag: theirs } = dialog;
    await caller.invite({ headers: [replaces({ sipCallId, ours, theirs })] }).response(481);
  });

  it("a call that is over gets 481", async () => {
    const all = await callerRig();
    const { call, dialog } = await answeredFor(all);
    all.stack.trunks.bye(call);
    all.peer.reply(await all.peer.request("BYE"), 200);
    await all.stack.fact(call, "sip.ended");
    await all.caller.invite({ headers: [replaces(dialog)] }).response(481);
  });

  it.each([
    ["another Call-ID", { sipCallId: "other" }],
    ["another tag of ours", { ours: "other" }],
    ["another tag of theirs", { theirs: "other" }],
  ])("with %s gets 481", async (_which, wrong) => {
    const all = await callerRig();
    const { dialog } = await answeredFor(all);
    await all.caller.invite({ headers: [replaces({ ...dialog, ...wrong })] }).response(481);
    expect(all.stack.arrivals).toHaveLength(1);
  });

  it("two calls at once, or what cannot be read, gets 400", async () => {
    const all = await callerRig();
    const { dialog } = await answeredFor(all);
    await all.caller.invite({ headers: [replaces(dialog), replaces(dialog)] }).response(400);
    await all.caller.invite({ headers: ["Replaces: nonsense"] }).response(400);
  });

  it("is what our INVITE and our 200 say that we can do (RFC 3891 s6)", async () => {
    const { peer, stack, caller } = await callerRig();
    const placed = caller.invite();
    stack.trunks.accept((await stack.arrival()).call, ANSWER);
    expect(lines(await placed.response(200), "Supported")).toEqual(["100rel, replaces, timer"]);
    stack.invite();
    expect(lines(await peer.request("INVITE"), "Supported")).toEqual(["100rel, replaces, timer"]);
  });
});

describe("the value of Replaces", () => {
  it("names a dialog as we see it; zero is no tag", () => {
    expect(parseReplaces("a@b;from-tag=theirs;to-tag=ours")).toEqual({
      dialog: { sipCallId: "a@b", localTag: "ours", remoteTag: "theirs" },
      earlyOnly: false,
    });
    expect(parseReplaces("a;to-tag=ours;from-tag=0;early-only")).toEqual({
      dialog: { sipCallId: "a", localTag: "ours", remoteTag: "" },
      earlyOnly: true,
    });
  });

  it.each([
    "",
    "a",
    "a;to-tag=x",
    "a;from-tag=x",
    ";to-tag=x;from-tag=y",
    "a;to-tag=x;to-tag=y;from-tag=z",
    "a b;to-tag=x;from-tag=y",
  ])("%j is none", (value) => {
    expect(parseReplaces(value)).toBeUndefined();
  });
});
