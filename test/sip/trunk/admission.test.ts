// Who may begin something with us: telephones behind an address that says nothing, by digest; and how many at once.
import { createSocket } from "node:dgram";
import { describe, expect, it } from "vitest";
import { bind } from "../../../dev/loopback/listen.ts";
import type { ChallengeSettings } from "../../../src/ports/sip.ts";
import { DigestClient } from "../../../src/sip/wire/digest/digest.ts";
import { parseChallenges } from "../../../src/sip/wire/digest/digest-challenge.ts";
import type { SipResponse } from "../../../src/sip/wire/message.ts";
import { callerRig, type PlacedCall } from "../rig/caller.ts";
import { contactPort, lines, type Received } from "../rig/peer.ts";
import { closeLater, standStill } from "../rig/rig.ts";
import { ANSWER } from "../rig/stack.ts";

const challenge: ChallengeSettings = {
  algorithms: ["SHA-256", "MD5"],
  realm: "us.example",
  username: "trunk",
  password: "secret",
};
const right = { username: "trunk", password: "secret" };

function credentials(
  response: Received<SipResponse>,
  { username, password } = right,
  algorithm = "SHA-256",
  method = "INVITE",
): string {
  const challenges = lines(response, "WWW-Authenticate").flatMap((value) => parseChallenges(value, false));
  const chosen = challenges.find((one) => one.algorithm === algorithm);
  if (chosen === undefined) throw new Error("no such challenge");
  const client = new DigestClient({ username, password }, () => "cnonce");
  const { name, value } = client.authorization({ challenge: chosen, method, uri: "sip:+4930555@us.example" });
  return `${name}: ${value}`;
}

/** As a telephone does it: the 401 acknowledged, and the INVITE again with a higher CSeq. */
async function challenged(placed: PlacedCall): Promise<Received<SipResponse>> {
  const response = await placed.response(401);
  placed.ack(response);
  return response;
}

describe("a trunk that is challenged", () => {
  it.each(["SHA-256", "MD5"])("calls with %s, from the challenge to the end", async (algorithm) => {
    const { stack, caller } = await callerRig("udp", { challenge });
    const first = caller.invite();
    const response = await challenged(first);
    expect(lines(response, "WWW-Authenticate")).toEqual([
      expect.stringMatching(
        /^Digest realm="us.example", nonce="[^"]+", opaque="[^"]+", algorithm=SHA-256, qop="auth"$/,
      ),
      expect.stringMatching(/algorithm=MD5, qop="auth"$/),
    ]);
    // Before anybody is known, nothing else is said: no 100.
    expect(first.statuses).toEqual([401]);
    const authorization = credentials(response, right, algorithm);
    const second = caller.invite({ headers: [authorization], sipCallId: first.sipCallId, cseq: 2 });
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    const answer = await second.response(200);
    second.ack(answer);
    // Inside the dialog nothing is asked again.
    second.inDialog(answer, "BYE", 3);
    await second.response(200, "BYE");
    await stack.fact(call, "sip.hungUp");
    expect(stack.arrivals).toHaveLength(1);
  });

  it("is offered MD5 alone where the trunk cannot stand to see another beside it", async () => {
    const { stack, caller } = await callerRig("udp", { challenge: { ...challenge, algorithms: ["MD5"] } });
    const response = await challenged(caller.invite());
    expect(lines(response, "WWW-Authenticate")).toEqual([expect.stringContaining("algorithm=MD5,")]);
    caller.invite({ headers: [credentials(response, right, "MD5")] });
    await stack.arrival();
  });

  it.each([
    ["a wrong password", { username: "trunk", password: "guess" }],
    ["an unknown user", { username: "root", password: "secret" }],
    ["an empty password", { username: "trunk", password: "" }],
  ])("with %s gets 401 again, and one line in the log", async (_what, wrong) => {
    const { stack, caller } = await callerRig("udp", { challenge });
    const response = await challenged(caller.invite());
    for (let attempt = 0; attempt < 3; attempt++) {
      const again = await challenged(caller.invite({ headers: [credentials(response, wrong)] }));
      expect(lines(again, "WWW-Authenticate").join()).not.toContain("stale");
    }
    expect(stack.arrivals).toEqual([]);
    expect(stack.log.filter(({ message }) => message.includes("wrong credentials"))).toHaveLength(1);
  });

  it("cannot be robbed of its credentials: a second use is stale", async () => {
    const { stack, caller } = await callerRig("udp", { challenge });
    const authorization = credentials(await challenged(caller.invite()));
    caller.invite({ headers: [authorization] });
    await stack.arrival();
    const replayed = await challenged(caller.invite({ headers: [authorization] }));
    expect(lines(replayed, "WWW-Authenticate")[0]).toContain("stale=true");
    expect(stack.arrivals).toHaveLength(1);
  });

  it("is asked anew when the nonce has aged, and not blamed for it", async () => {
    const pass = standStill();
    const { stack, caller } = await callerRig("udp", { challenge });
    const response = await challenged(caller.invite());
    pass(301_000);
    const stale = await challenged(caller.invite({ headers: [credentials(response)] }));
    expect(lines(stale, "WWW-Authenticate")[0]).toContain("stale=true");
    caller.invite({ headers: [credentials(stale)] });
    await stack.arrival();
    expect(stack.log.filter(({ message }) => message.includes("wrong credentials"))).toEqual([]);
  });

  it("is not let in by a nonce of somebody else's making", async () => {
    const { stack, caller } = await callerRig("udp", { challenge });
    const response = await challenged(caller.invite());
    const forged = { ...response, message: { ...response.message } };
    const headers = forged.message.headers.map((field) =>
      field.name === "WWW-Authenticate"
        ? { ...field, value: field.value.replace(/nonce="[^"]+"/, 'nonce="mine"') }
        : field,
    );
    await challenged(caller.invite({ headers: [credentials({ ...forged, message: { ...forged.message, headers } })] }));
    expect(stack.arrivals).toEqual([]);
  });

  it.each(["MESSAGE", "REFER", "SUBSCRIBE"])("is asked for a %s too", async (method) => {
    const { caller } = await callerRig("udp", { challenge });
    const placed = caller.prepare({ sdp: null });
    caller.send(placed.text.replaceAll("INVITE", method));
    await placed.response(401, method);
  });

  it("answers OPTIONS all the same, and takes no CANCEL for anything", async () => {
    const { caller } = await callerRig("udp", { challenge });
    const placed = caller.prepare({ sdp: null });
    caller.send(placed.text.replaceAll("INVITE", "OPTIONS"));
    await placed.response(200, "OPTIONS");
    placed.cancel();
    await placed.response(481, "CANCEL");
  });

  it.each(["Digest", "Basic dXNlcjpwYXNz", 'Digest realm="us.example"', 'Digest username="trunk, realm=', ","])(
    "with %j for credentials is asked again",
    async (value) => {
      const { stack, caller } = await callerRig("udp", { challenge });
      await challenged(caller.invite({ headers: [`Authorization: ${value}`] }));
      expect(stack.arrivals).toEqual([]);
      expect(stack.log.filter(({ level }) => level === "error")).toEqual([]);
    },
  );
});

describe("a trunk that is challenged, and somebody at another address", () => {
  it("is told nothing, not even that there is a challenge, unless its network is one of the trunk's", async () => {
    for (const [peers, answers] of [
      [[], 0],
      [["127.0.0.2/32"], 1],
    ] as const) {
      const { peer, stack, caller } = await callerRig("udp", { challenge, peers });
      const placed = caller.prepare();
      const socket = createSocket("udp4");
      await bind(socket, 0, "127.0.0.2");
      closeLater(() => new Promise((resolve) => socket.close(() => resolve())));
      const heard: string[] = [];
      socket.on("message", (bytes) => heard.push(bytes.toString()));
      const [options] = peer.log;
      socket.send(placed.text, options === undefined ? 0 : contactPort(options), "127.0.0.1");
      if (answers > 0) await expect.poll(() => heard.length).toBeGreaterThan(0);
      const mentioned = (): number =>
        stack.log.filter(({ message }) => message.includes("not a peer of the trunk")).length;
      await expect.poll(mentioned).toBe(1 - answers);
      // What the trunk's own server asks after it is answered after it.
      await challenged(caller.invite());
      expect(new Set(heard.map((text) => text.slice(0, 11)))).toEqual(new Set(answers > 0 ? ["SIP/2.0 401"] : []));
    }
  });
});

describe("more calls than anybody has telephones for", () => {
  it("are refused with 503 and a time, until some are answered or gone", async () => {
    const { stack, caller } = await callerRig("tcp");
    const waiting = Array.from({ length: 100 }, () => caller.invite());
    await stack.until(() => stack.arrivals.length === waiting.length);
    const refusal = await caller.invite().response(503);
    expect(lines(refusal, "Retry-After")).toEqual(["5"]);
    await caller.invite().response(503);
    expect(stack.log.filter(({ message }) => message.includes("too many are waiting"))).toHaveLength(1);
    const [answered, rejected, cancelled] = waiting;
    const [first, second] = await Promise.all([stack.arrival(), stack.arrival()]);
    stack.trunks.accept(first.call, ANSWER);
    await answered?.response(200);
    stack.trunks.reject(second.call, 486);
    await rejected?.response(486);
    cancelled?.cancel();
    await cancelled?.response(487);
    for (let count = 0; count < 3; count++) await caller.invite().response(100);
    await caller.invite().response(503);
  });
});
