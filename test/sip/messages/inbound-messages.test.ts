// Texts of the trunk: MESSAGE outside of calls and inside, answered, refused and repeated.
import { describe, expect, it } from "vitest";
import type { TrunkSettings } from "../../../src/ports/sip.ts";
import { answered, hangUp } from "../rig/answered-call.ts";
import { callerRig } from "../rig/caller.ts";
import { lines } from "../rig/peer.ts";
import { rig, standStill } from "../rig/rig.ts";
import { TRUNK } from "../rig/stack.ts";
import { anyUri } from "../../core/address/sip-uri.ts";
import { text } from "./text.ts";

describe("a text of the trunk", () => {
  it("arrives with who sent it and for whom it is, and is answered with what became of it", async () => {
    const { stack, caller } = await callerRig();
    stack.messageStatus = 202;
    const placed = caller.prepare({ from: '"Ann" <sip:+4940777@gw.example>;tag=t' });
    text(caller, placed, { body: "Grüße ☎", lines: ["P-Asserted-Identity: <tel:+4940777>"] });
    const response = await placed.response(202, "MESSAGE");
    expect(lines(response, "Contact")).toEqual([]);
    expect(stack.messages).toHaveLength(1);
    expect(stack.messages[0]).toMatchObject({
      trunk: TRUNK,
      called: "+4930555",
      text: "Grüße ☎",
      id: `${placed.sipCallId} 1 t`,
      identity: { from: { displayName: "Ann", user: "+4940777" }, asserted: [{ uri: anyUri("tel:+4940777") }] },
    });
  });

  it.each([404, 480, 500, 503, 603])("that nobody wants is answered %i", async (status) => {
    const { stack, caller } = await callerRig();
    stack.messageStatus = status;
    const placed = caller.prepare();
    text(caller, placed);
    await placed.response(status, "MESSAGE");
  });

  it("for another number than the Request-URI's is read where the trunk says it", async () => {
    const inbound = { calledFrom: "P-Called-Party-ID", reliableProvisionals: "supported" } as const;
    const { stack, caller } = await callerRig("udp", { inbound });
    const placed = caller.prepare();
    text(caller, placed, { lines: ["P-Called-Party-ID: <sip:+4930999@us.example>"] });
    await placed.response(202, "MESSAGE");
    expect(stack.messages[0]?.called).toBe("+4930999");
  });

  it("that is sent twice is passed on once, and answered the same each time", async () => {
    const { stack, caller, peer } = await callerRig();
    const placed = caller.prepare();
    text(caller, placed);
    await placed.response(202, "MESSAGE");
    // Another branch: not a repetition of the datagram, but of the text.
    stack.messageStatus = 404;
    text(caller, placed, { branch: "z9hG4bK-again" });
    await placed.response(202, "MESSAGE");
    text(caller, placed, { cseq: 2, branch: "z9hG4bK-next" });
    await placed.response(404, "MESSAGE");
    expect(new Set(stack.messages.map(({ id }) => id))).toHaveProperty("size", 2);
    expect(stack.messages).toHaveLength(2);
    expect(peer.count("MESSAGE")).toBe(0);
  });

  it.each([500, 503, 504])(
    "that could not be taken for now (%i) is heard again when it comes again",
    async (status) => {
      const { stack, caller } = await callerRig();
      const placed = caller.prepare();
      stack.messageStatus = status;
      text(caller, placed);
      await placed.response(status, "MESSAGE");
      stack.messageStatus = 202;
      text(caller, placed, { branch: "z9hG4bK-again" });
      await placed.response(202, "MESSAGE");
      expect(stack.messages).toHaveLength(2);
    },
  );

  it("of a gateway that counts its Call-IDs and was started anew is another text", async () => {
    const { stack, caller } = await callerRig();
    for (const tag of ["before", "after"]) {
      const placed = caller.prepare({
        sipCallId: "1@gateway",
        from: `<sip:+4940777@gw.example>;tag=${tag}`,
        branch: `z9hG4bK-${tag}`,
      });
      text(caller, placed, { body: tag });
      await placed.response(202, "MESSAGE");
    }
    expect(stack.messages.map((message) => message.text)).toEqual(["before", "after"]);
  });

  it("that is sent again while the first is on its way waits for the same verdict", async () => {
    const verdicts: ((status: number) => void)[] = [];
    const { caller } = await callerRig(
      "udp",
      {},
      {
        messaged: () => new Promise((resolve) => verdicts.push(resolve)),
      },
    );
    const placed = caller.prepare();
    text(caller, placed);
    text(caller, placed, { branch: "z9hG4bK-again" });
    await expect.poll(() => verdicts.length, { interval: 1 }).toBe(1);
    verdicts[0]?.(200);
    await placed.response(200, "MESSAGE");
    await placed.response(200, "MESSAGE");
    expect(verdicts).toHaveLength(1);
  });

  it("is one of too many at once: sent away for now, and taken when there is room", async () => {
    const verdicts: ((status: number) => void)[] = [];
    const { caller } = await callerRig(
      "udp",
      {},
      {
        messaged: () => new Promise((resolve) => verdicts.push(resolve)),
      },
    );
    for (let number = 0; number < 64; number++) text(caller, caller.prepare());
    await expect.poll(() => verdicts.length, { interval: 1 }).toBe(64);
    const late = caller.prepare();
    text(caller, late);
    expect(lines(await late.response(503, "MESSAGE"), "Retry-After")).toEqual(["10"]);
    for (const verdict of verdicts.splice(0)) verdict(200);
    text(caller, late, { cseq: 2, branch: "z9hG4bK-late" });
    await expect.poll(() => verdicts.length, { interval: 1 }).toBe(1);
    verdicts[0]?.(200);
    await late.response(200, "MESSAGE");
  });

  it("on which nobody decides is answered before the sender gives up, and rightly when it comes again", async () => {
    const verdicts: ((status: number) => void)[] = [];
    const pass = standStill();
    const { caller } = await callerRig(
      "udp",
      { optionsIntervalMs: 3_600_000 },
      {
        messaged: () => new Promise((resolve) => verdicts.push(resolve)),
      },
    );
    const placed = caller.prepare();
    text(caller, placed);
    await expect.poll(() => verdicts.length, { interval: 1 }).toBe(1);
    pass(28_000);
    await placed.response(504, "MESSAGE");
    verdicts[0]?.(200);
    text(caller, placed, { branch: "z9hG4bK-again" });
    await placed.response(200, "MESSAGE");
  });

  it.each<[string, () => Promise<number>]>([
    [
      "throws",
      () => {
        throw new Error("defect");
      },
    ],
    ["rejects", () => Promise.reject(new Error("defect"))],
    ["says nonsense", () => Promise.resolve(Number.NaN)],
  ])("whose receiver %s is answered 500", async (_, messaged) => {
    const { caller } = await callerRig(
      "udp",
      {},
      {
        messaged,
      },
    );
    const placed = caller.prepare();
    text(caller, placed);
    await placed.response(500, "MESSAGE");
  });

  it.each<[string, string, string]>([
    ["application/im-iscomposing+xml", "<isComposing/>", "only says that somebody types"],
    ["text/plain", "", "is empty"],
    ["text/plain", " \r\n", "is blank"],
  ])("of %s saying %j %s: 200, and nobody is bothered", async (type, body) => {
    const { stack, caller } = await callerRig();
    const placed = caller.prepare();
    text(caller, placed, { type, body });
    await placed.response(200, "MESSAGE");
    expect(stack.messages).toEqual([]);
  });

  it.each(["application/octet-stream", "image/png", "message/imdn+xml", "multipart/mixed;boundary=b"])(
    "of %s is refused, and told what we read",
    async (type) => {
      const { stack, caller } = await callerRig();
      const placed = caller.prepare();
      text(caller, placed, { type, body: "\u0001\u0002" });
      expect(lines(await placed.response(415, "MESSAGE"), "Accept")[0]).toContain("text/plain");
      expect(stack.messages).toEqual([]);
    },
  );

  it("inside a call is for that call's parties", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "MESSAGE", 1, { body: { type: "text/plain", content: "hello" } });
    expect((await peer.response("MESSAGE")).message.statusCode).toBe(202);
    expect(stack.messages).toMatchObject([{ call, called: "+4930123", identity: { from: { user: "+4940555" } } }]);
    await hangUp(peer, stack, call);
  });

  it("on a trunk that has to prove itself is challenged first", async () => {
    const settings: Partial<TrunkSettings> = {
      challenge: { algorithms: ["MD5"], realm: "us", username: "gw", password: "secret" },
    };
    const { stack, caller } = await callerRig("udp", settings);
    const placed = caller.prepare();
    text(caller, placed);
    await placed.response(401, "MESSAGE");
    expect(stack.messages).toEqual([]);
  });
});
