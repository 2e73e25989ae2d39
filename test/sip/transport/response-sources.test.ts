// A trunk whose Contact leads nowhere, as one behind a NAT has it: what the log says, and which requests still reach it.
import { describe, expect, it } from "vitest";
import type { SipTransportName } from "../../../src/ports/sip.ts";
import { callerRig } from "../rig/caller.ts";
import { rig, standStill, startPeer, startStack, TRANSACTION_MS, type Rig } from "../rig/rig.ts";
import { ANSWER, trunkSettings, type LogLine } from "../rig/stack.ts";

const NOWHERE = "Contact: <sip:peer@192.0.2.77:5999>";
const LOST = "the trunk repeats its answer: our ACK does not reach the address in its Contact";
const UNREACHABLE =
  "the address in the trunk's Contact cannot be reached: ACK and BYE go to where its answer came from";

function said({ stack }: Pick<Rig, "stack">, message: string): LogLine[] {
  return stack.log.filter((line) => line.message === message);
}

/** Bytes of a 200 to that INVITE, written by hand. */
function okTo(invite: string, contact: string): string {
  const line = (name: string): string => new RegExp(`^${name}: .*$`, "m").exec(invite)?.[0].trimEnd() ?? "";
  return [
    "SIP/2.0 200 OK",
    line("Via"),
    line("From"),
    `${line("To")};tag=answered`,
    line("Call-ID"),
    line("CSeq"),
    contact,
    "Content-Type: application/sdp",
    `Content-Length: ${ANSWER.length}`,
    "",
    ANSWER,
  ].join("\r\n");
}

describe("a 200 whose Contact leads nowhere", () => {
  it("and that is repeated: one warning with the setting, and the BYE goes to where it came from", async () => {
    const all = await rig();
    const { peer, stack } = all;
    const port = await silentPort();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    const ok = Buffer.from(okTo(invite.text, `Contact: <sip:peer@127.0.0.1:${port}>`));
    for (let time = 1; time <= 7; time++) invite.flow.send(ok);
    await stack.fact(call, "sip.accepted");
    await expect.poll(() => said(all, LOST)).toHaveLength(1);
    expect(said(all, LOST)[0]).toMatchObject({
      level: "warn",
      fields: {
        contact: `sip:peer@127.0.0.1:${port}`,
        answeredFrom: `127.0.0.1:${peer.port}`,
        setting: "in_dialog_requests",
      },
    });
    stack.trunks.bye(call, 16);
    const bye = await peer.request("BYE");
    expect(bye.text.split("\r\n", 1)).toEqual([`BYE sip:peer@127.0.0.1:${port} SIP/2.0`]);
    peer.reply(bye, 200);
    await stack.fact(call, "sip.ended");
    expect(peer.count("ACK")).toBe(0);
    expect(stack.log.filter(({ level }) => level === "warn")).toHaveLength(1);
  });

  it("twice repeated is a lost ACK as it happens: no warning", async () => {
    const all = await rig();
    const { peer, stack } = all;
    const port = await silentPort();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    const ok = Buffer.from(okTo(invite.text, `Contact: <sip:peer@127.0.0.1:${port}>`));
    for (let time = 0; time < 3; time++) invite.flow.send(ok);
    await stack.fact(call, "sip.accepted");
    peer.inDialog(invite, "OPTIONS", 1, { toTag: "answered" });
    await peer.response("OPTIONS");
    expect(said(all, LOST)).toEqual([]);
  });

  it("and a BYE that nobody answers is said, because the call may go on being charged", async () => {
    const pass = standStill();
    const all = await rig();
    const { peer, stack } = all;
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    invite.flow.send(Buffer.from(okTo(invite.text, `Contact: <sip:peer@127.0.0.1:${await silentPort()}>`)));
    await stack.fact(call, "sip.accepted");
    stack.trunks.bye(call);
    pass(TRANSACTION_MS);
    await stack.fact(call, "sip.ended");
    expect(said(all, "BYE not answered: the call may still be up at the trunk")).toMatchObject([
      { level: "warn", fields: { setting: "in_dialog_requests" } },
    ]);
  });

  it.each([
    ["is a name that nobody knows", async () => "<sip:peer@nowhere.invalid:5060>"],
    ["asks for TCP where nobody listens", async () => `<sip:peer@127.0.0.1:${await silentPort()};transport=tcp>`],
    ["asks for TLS where nobody listens", async () => `<sip:peer@127.0.0.1:${await silentPort()};transport=tls>`],
    ["has no port that can be", async () => "<sip:peer@127.0.0.1:0>"],
    ["is a telephone number", async () => "<tel:+4940555>"],
  ])("because it %s: ACK and BYE go to where it came from, and one warning says so", async (_why, contact) => {
    const all = await rig();
    const { peer, stack } = all;
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    invite.flow.send(Buffer.from(okTo(invite.text, `Contact: ${await contact()}`)));
    await stack.fact(call, "sip.accepted");
    await peer.request("ACK");
    stack.trunks.bye(call);
    peer.reply(await peer.request("BYE"), 200);
    await stack.fact(call, "sip.ended");
    expect(stack.log.filter(({ level }) => level === "warn")).toMatchObject([
      { message: UNREACHABLE, fields: { answeredFrom: `127.0.0.1:${peer.port}`, setting: "in_dialog_requests" } },
    ]);
  });

  it("and is secure: nothing of it goes in the clear", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    invite.flow.send(Buffer.from(okTo(invite.text, `Contact: <sips:peer@127.0.0.1:${await silentPort()}>`)));
    await stack.fact(call, "sip.accepted");
    stack.trunks.bye(call);
    await stack.fact(call, "sip.ended");
    expect([peer.count("ACK"), peer.count("BYE")]).toEqual([0, 0]);
  });

  it.each<SipTransportName>(["udp", "tcp"])(
    "over %s, with in_dialog_requests at source: ACK, re-INVITE and BYE arrive",
    async (transport) => {
      const { peer, stack } = await rig(transport, { inDialog: "source" });
      const call = stack.invite();
      const invite = await peer.request("INVITE");
      const contact = transport === "udp" ? NOWHERE : NOWHERE.replace(">", ";transport=tcp>");
      invite.flow.send(Buffer.from(okTo(invite.text, contact)));
      await stack.fact(call, "sip.accepted");
      expect((await peer.request("ACK")).text).toMatch(/^ACK sip:peer@192\.0\.2\.77:5999/);
      stack.trunks.reoffer(call, ANSWER);
      peer.reply(await peer.request("INVITE"), 200, { sdp: ANSWER, toTag: "answered" });
      await stack.fact(call, "sip.reanswered");
      stack.trunks.bye(call);
      peer.reply(await peer.request("BYE"), 200);
      await stack.fact(call, "sip.ended");
    },
  );
});

it.each<SipTransportName>(["tcp", "tls"])(
  "over %s, with in_dialog_requests at source: the BYE arrives though the connection was closed meanwhile",
  async (transport) => {
    const { peer, stack } = await rig(transport, { inDialog: "source" });
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    invite.flow.send(Buffer.from(okTo(invite.text, NOWHERE.replace(">", `;transport=${transport}>`))));
    await stack.fact(call, "sip.accepted");
    await peer.request("ACK");
    for (const flow of peer.flows) flow.destroy();
    await expect.poll(() => peer.flows.size).toBe(0);
    stack.trunks.bye(call);
    peer.reply(await peer.request("BYE"), 200);
    await stack.fact(call, "sip.ended");
  },
);

describe("an INVITE whose Contact leads nowhere", () => {
  it("with in_dialog_requests at source: our BYE goes to where it came from", async () => {
    const { stack, peer, caller } = await callerRig("udp", { inDialog: "source" });
    const placed = caller.invite({ contact: NOWHERE });
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    placed.ack(await placed.response(200));
    stack.trunks.bye(call);
    peer.reply(await placed.asked("BYE"), 200);
    await stack.fact(call, "sip.ended");
  });
});

it.each([
  ["with in_dialog_requests at source", "source", NOWHERE],
  ["where the Contact cannot be reached", "contact", "Contact: <sip:peer@nowhere.invalid>"],
] as const)("after a restart, %s: the BYE goes to the trunk's server", async (_when, inDialog, contact) => {
  const { peer, stack } = await rig("udp", { inDialog });
  const call = stack.invite();
  const invite = await peer.request("INVITE");
  invite.flow.send(Buffer.from(okTo(invite.text, contact)));
  const { dialog } = await stack.fact(call, "sip.accepted");
  await stack.stop();
  const server = await startPeer();
  const { host, port } = dialog.localAddress;
  const local = { host, port, advertised: undefined };
  const again = await startStack(trunkSettings(server.port, { inDialog, local }));
  again.trunks.resume(call, dialog);
  again.trunks.bye(call);
  server.reply(await server.request("BYE"), 200);
  await again.fact(call, "sip.ended");
});

async function silentPort(): Promise<number> {
  return (await startPeer()).port;
}
