// Voice messages that wait for somebody, as the trunk tells without being asked (RFC 3842), and other NOTIFYs (RFC 6665).
import { describe, expect, it } from "vitest";
import type { ChallengeSettings } from "../../../src/ports/sip.ts";
import { DigestClient } from "../../../src/sip/wire/digest/digest.ts";
import { parseChallenges } from "../../../src/sip/wire/digest/digest-challenge.ts";
import { callerRig, type Caller, type PlacedCall } from "../rig/caller.ts";
import { lines } from "../rig/peer.ts";
import { TRUNK } from "../rig/stack.ts";

interface NotifyParts {
  readonly event?: string;
  readonly type?: string;
  readonly body?: string;
  readonly to?: string;
  readonly credentials?: string;
}

function notify(caller: Caller, parts: NotifyParts = {}): PlacedCall {
  const { event = "message-summary", type = "application/simple-message-summary", body = "" } = parts;
  const placed = caller.prepare({ uri: "sip:account@us.example" });
  const typed = [
    String(caller.peer.contact),
    ...(event === "" ? [] : [`Event: ${event}`]),
    "Subscription-State: active",
    ...(parts.credentials === undefined ? [] : [parts.credentials]),
    ...(type === "" ? [] : [`Content-Type: ${type}`]),
  ];
  caller.send(placed.request("NOTIFY", parts.to ?? "<sip:account@us.example>", { body, lines: typed }));
  return placed;
}

const SUMMARY = "Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example\r\nVoice-Message: 2/8 (0/2)\r\n";

describe("message-waiting", () => {
  it.each<[string, string, object]>([
    [SUMMARY, "as in the RFC", { account: "alice", waiting: true, newMessages: 2, oldMessages: 8 }],
    ["Messages-Waiting: no\r\n", "none", { account: "account", waiting: false, newMessages: 0, oldMessages: 0 }],
    ["messages-waiting:YES\nvoice-message:3/0\n", "loosely", { waiting: true, newMessages: 3, oldMessages: 0 }],
    ["Voice-Message: 1/0\r\n", "by the count alone", { waiting: true, newMessages: 1 }],
    ["Messages-Waiting: yes\r\nFax-Message: 4/0\r\n", "of a fax", { waiting: true, newMessages: 0 }],
    [`${SUMMARY}Messages-Waiting: no\r\n`, "twice", { waiting: true }],
    ["Messages-Waiting: yes\r\nMessage-Account: <<>>\r\n", "of nobody", { account: "account", waiting: true }],
    [
      `Messages-Waiting: yes\r\nMessage-Account: sip:${"a".repeat(300)}@vmail.example\r\n`,
      "of somebody without end",
      { account: "a".repeat(255), waiting: true },
    ],
    ["Messages-Waiting: yes\r\nMessage-Account: tel:+4930\r\n", "of a number", { account: "+4930", waiting: true }],
    ["Messages-Waiting: yes\r\nVoice-Message: 999999999/0\r\n", "absurdly many", { newMessages: 1_000_000 }],
  ])("%j (%s)", async (body, _, news) => {
    const { stack, caller } = await callerRig();
    await notify(caller, { body }).response(200, "NOTIFY");
    expect(stack.messageWaiting).toMatchObject([{ trunk: TRUNK, ...news }]);
  });

  it.each<[string, NotifyParts, number]>([
    ["an empty one ends a subscription that nobody has", {}, 200],
    ["what says nothing is no summary", { body: "hello\r\n" }, 400],
    ["one of another type cannot be read", { type: "application/xml", body: "<x/>" }, 415],
    ["one of another event", { event: "presence", body: SUMMARY }, 489],
    ["one of no event", { event: "", body: SUMMARY }, 489],
    ["one of a transfer that nobody asked for", { event: "refer", body: "SIP/2.0 200 OK" }, 481],
    ["one in a dialog that is not there", { to: "<sip:account@us.example>;tag=ours", body: SUMMARY }, 481],
  ])("%s", async (_, parts, status) => {
    const { stack, caller } = await callerRig();
    const response = await notify(caller, parts).response(status, "NOTIFY");
    if (status === 489 && parts.event !== "")
      expect(lines(response, "Allow-Events")).toEqual(["message-summary, refer"]);
    expect(stack.messageWaiting).toEqual([]);
  });

  it("without a type is taken for what its event says", async () => {
    const { stack, caller } = await callerRig();
    await notify(caller, { type: "", body: SUMMARY }).response(200, "NOTIFY");
    expect(stack.messageWaiting).toHaveLength(1);
  });

  it("whose receiver throws is answered all the same", async () => {
    const { caller } = await callerRig(
      "udp",
      {},
      {
        messageWaiting: () => {
          throw new Error("defect");
        },
      },
    );
    await notify(caller, { body: SUMMARY }).response(200, "NOTIFY");
  });
});

describe("a trunk that is challenged", () => {
  const challenge: ChallengeSettings = {
    algorithms: ["MD5"],
    realm: "us.example",
    username: "trunk",
    password: "secret",
  };

  it("is asked for its credentials before its voice messages are news", async () => {
    const { stack, caller } = await callerRig("udp", { challenge });
    for (let n = 0; n < 20; n++) await notify(caller, { body: SUMMARY }).response(401, "NOTIFY");
    expect(stack.messageWaiting).toEqual([]);
    const asked = await notify(caller, { body: SUMMARY }).response(401, "NOTIFY");
    const [offered] = lines(asked, "WWW-Authenticate").flatMap((value) => parseChallenges(value, false));
    if (offered === undefined) throw new Error("not challenged");
    const client = new DigestClient({ username: "trunk", password: "secret" }, () => "cnonce");
    const { name, value } = client.authorization({
      challenge: offered,
      method: "NOTIFY",
      uri: "sip:account@us.example",
    });
    await notify(caller, { body: SUMMARY, credentials: `${name}: ${value}` }).response(200, "NOTIFY");
    expect(stack.messageWaiting).toHaveLength(1);
  });
});
