// The state machines of RFC 3261 s17 and RFC 6026, on a clock that the test moves: what leaves, and what whoever sent a
// request, or is to answer one, hears of it.
import { beforeEach, describe, expect, it } from "vitest";
import type { Log } from "../../../src/ports/telemetry.ts";
import { ClientTransaction } from "../../../src/sip/user-agent/client-transaction.ts";
import { requestOf } from "../../../src/sip/user-agent/requests.ts";
import { scopedClock } from "../../../src/sip/transport/scoped-clock.ts";
import { ServerTransaction } from "../../../src/sip/user-agent/server-transaction.ts";
import { newBranch, Stack } from "../../../src/sip/user-agent/stack.ts";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import type { SipMessage, SipRequest, SipResponse } from "../../../src/sip/wire/message.ts";
import { writeRequest, type OutgoingMessage, type OutgoingRequest } from "../../../src/sip/wire/outgoing-message.ts";
import { parseSip } from "../../../src/sip/wire/parser.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

const log: Log = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  trace: () => {},
  child: () => log,
};
let clock: VirtualClock;
let startMs: number;
let stack: Stack<ServerTransaction>;
let sent: { readonly atMs: number; readonly message: OutgoingMessage }[];
let reachable: boolean;

beforeEach(() => {
  clock = new VirtualClock();
  startMs = clock.nowMs();
  sent = [];
  reachable = true;
  const contact = textHeader("Contact", "<sip:us@here>");
  stack = new Stack({
    protocol: "UDP",
    viaHost: "here:5060",
    userAgent: "",
    contacts: { usual: contact, secure: contact },
    timers: { t1Ms: 500, t2Ms: 4_000 },
    clock: scopedClock(clock),
    log,
    send: (message) => {
      sent.push({ atMs: clock.nowMs() - startMs, message });
      return reachable ? Promise.resolve() : Promise.reject(new Error("no way"));
    },
    newDigestSession: () => undefined,
  });
});

const parsed = (text: string): SipMessage => {
  const result = parseSip(text.replace(/\r?\n/g, "\r\n"));
  if (result.outcome !== "message") throw new Error(`not a message: ${text}`);
  return result.message;
};

/** A request of the peer. */
const asked = (method: string, more = ""): SipRequest =>
  parsed(
    `${method} sip:us@here SIP/2.0\nVia: SIP/2.0/UDP peer:5060;branch=z9hG4bKpeer\nFrom: <sip:peer@there>;tag=p\n` +
      `To: <sip:us@here>\nCall-ID: c\nCSeq: 1 ${method}\nContact: <sip:peer@there>\n${more}Content-Length: 0\n\n`,
  ) as SipRequest;

/** A response of the peer to a request of ours. */
const answer = ({ via, method }: OutgoingRequest, status: number, toTag = "t"): SipResponse =>
  parsed(
    `SIP/2.0 ${status} Whatever\nVia: ${via}\nFrom: <sip:us@here>;tag=f\nTo: <sip:them@there>;tag=${toTag}\n` +
      `Call-ID: c\nCSeq: 1 ${method}\nContent-Length: 0\n\n`,
  ) as SipResponse;

function ask(method: string): { transaction: ClientTransaction; heard: string[] } {
  const heard: string[] = [];
  const request = requestOf(stack, {
    method,
    uri: "sip:them@there",
    from: "<sip:us@here>",
    to: "<sip:them@there>",
    fromTag: "f",
    callId: "c",
    cseq: 1,
    routes: ["<sip:first;lr>", "<sip:second;lr>"],
    headers: [],
  });
  const transaction = new ClientTransaction(stack, request, {
    response: ({ statusCode, toTag }) => heard.push(`${statusCode} ${toTag}`),
    failed: (fault) => heard.push(fault),
  });
  return { transaction, heard };
}

const methods = (): string[] => sent.map(({ message }) => (message.kind === "request" ? message.method : "response"));

describe("an INVITE of ours", () => {
  it("fails after 64*T1 without any response (timer B)", () => {
    const { heard } = ask("INVITE");
    clock.advance(31_999);
    expect(heard).toEqual([]);
    clock.advance(1);
    expect(heard).toEqual(["timeout"]);
    expect([stack.clients.size, clock.pending]).toEqual([0, 0]);
  });

  it("rings for as long as it likes", () => {
    const { transaction, heard } = ask("INVITE");
    transaction.receive(answer(transaction.request, 180), true);
    clock.advance(3_600_000);
    expect(heard).toEqual(["180 t"]);
    expect(stack.clients.size).toBe(1);
  });

  it("is over with its refusal, whose ACK has its branch, its To tag and all Route values", () => {
    const { transaction, heard } = ask("INVITE");
    transaction.receive(answer(transaction.request, 486), true);
    const ack = sent.at(-1)?.message as OutgoingRequest;
    expect(ack).toMatchObject({ method: "ACK", branch: transaction.request.branch, to: "<sip:them@there>;tag=t" });
    expect(ack.routes).toEqual(["<sip:first;lr>", "<sip:second;lr>"]);
    transaction.receive(answer(transaction.request, 200), true);
    expect(heard).toEqual(["486 t"]);
    expect([stack.clients.size, clock.pending]).toEqual([0, 0]);
  });

  it("tells each dialog that a 2xx makes once, and sends the ACK of one again whenever it is repeated (RFC 6026)", () => {
    const { transaction, heard } = ask("INVITE");
    transaction.receive(answer(transaction.request, 200, "a"), true);
    transaction.acknowledge({ ...transaction.request, method: "ACK", toTag: "a" });
    transaction.receive(answer(transaction.request, 200, "b"), true);
    transaction.receive(answer(transaction.request, 200, "a"), true);
    transaction.receive(answer(transaction.request, 486, "c"), true);
    expect(heard).toEqual(["200 a", "200 b"]);
    expect(methods()).toEqual(["INVITE", "ACK", "ACK"]);
    clock.advance(32_000);
    expect([stack.clients.size, clock.pending]).toEqual([0, 0]);
  });

  it("fails at once where it cannot be sent", async () => {
    reachable = false;
    const { heard } = ask("INVITE");
    await Promise.resolve();
    await Promise.resolve();
    expect(heard).toEqual(["transport"]);
  });
});

describe("another request of ours", () => {
  it("fails after 64*T1 without a final response, whatever it rang (timer F)", () => {
    const { transaction, heard } = ask("BYE");
    transaction.receive(answer(transaction.request, 100), true);
    clock.advance(32_000);
    expect(heard).toEqual(["100 t", "timeout"]);
  });

  it("counts a 408 as no answer: whoever sends it has waited for as long as we have (RFC 4320)", () => {
    const { transaction, heard } = ask("OPTIONS");
    transaction.receive(answer(transaction.request, 408), true);
    expect(heard).toEqual(["timeout"]);
  });
});

describe("an INVITE of the peer", () => {
  const statuses = (): string[] =>
    sent.map(({ message, atMs }) => `${atMs / 1_000} s: ${message.kind === "response" ? message.statusCode : ""}`);

  it("has its last provisional again when it comes again, and once a minute (RFC 3261 s13.3.1.1)", () => {
    const server = new ServerTransaction(stack, asked("INVITE"));
    server.trying();
    server.receive(asked("INVITE"));
    server.reply(180);
    clock.advance(60_000);
    server.stopExtending();
    clock.advance(600_000);
    expect(statuses()).toEqual(["0 s: 100", "0 s: 100", "0 s: 180", "60 s: 180"]);
  });

  it("has its 2xx again after T1, doubling up to T2, until the ACK is here (RFC 3261 s13.3.1.4)", () => {
    const server = new ServerTransaction(stack, asked("INVITE"));
    server.reply(200);
    const acknowledged = server.repeatAccepted();
    clock.advance(8_000);
    acknowledged();
    clock.advance(30_000);
    expect(statuses()).toEqual(["0 s: 200", "0.5 s: 200", "1.5 s: 200", "3.5 s: 200", "7.5 s: 200"]);
    expect([server.phase, stack.servers.size]).toEqual(["terminated", 0]);
  });

  it("that is refused waits for its ACK, for 64*T1 (timer H)", () => {
    const ends: string[] = [];
    const heard = new ServerTransaction(stack, asked("INVITE"));
    heard.onEnd(() => ends.push("acknowledged"));
    heard.reply(486);
    heard.receive(asked("INVITE"));
    heard.receive(asked("ACK"));
    const unheard = new ServerTransaction(stack, asked("INVITE"));
    unheard.onEnd(() => ends.push("unheard"));
    unheard.reply(486);
    clock.advance(31_999);
    expect(ends).toEqual(["acknowledged"]);
    clock.advance(1);
    expect(ends).toEqual(["acknowledged", "unheard"]);
    expect(statuses()).toEqual(["0 s: 486", "0 s: 486", "0 s: 486"]);
  });

  it("has one final response", () => {
    const server = new ServerTransaction(stack, asked("INVITE"));
    server.reply(200);
    expect(() => server.reply(486)).toThrow("answered already");
  });

  it("has its Timestamp in the 100 (RFC 3261 s8.2.6.1), and no tag of ours", () => {
    new ServerTransaction(stack, asked("INVITE", "Timestamp: 54\n")).trying();
    const response = sent[0]?.message;
    const text = response?.kind === "response" ? response.bytes.toString() : "";
    expect(text).toContain("\r\nTimestamp: 54\r\n");
    expect(text).toContain("\r\nTo: <sip:us@here>\r\n");
  });
});

describe("a request as it leaves", () => {
  const request: OutgoingRequest = {
    kind: "request",
    method: "INVITE",
    uri: "sip:%23a;b=c@host;transport=tcp",
    via: "SIP/2.0/UDP here:5060;branch=z9hG4bK1;rport",
    branch: "z9hG4bK1",
    routes: ["<sip:first;lr>"],
    from: '"a" <sip:a@b>;tag=f',
    to: "<sip:c@d>",
    fromTag: "f",
    toTag: undefined,
    callId: "c",
    cseq: 7,
    credentials: ["Authorization: Digest x"],
    headers: ["Subject: a\r\nX: 1"],
    body: { contentType: "text/plain", content: "é\uD800" },
  };

  it("is these bytes: no value starts a new line, the length is of bytes, the Via names the transport", () => {
    expect(writeRequest(request, "TLS", true).toString()).toBe(
      "INVITE sip:%23a;b=c@host;transport=tcp SIP/2.0\r\nVia: SIP/2.0/TLS here:5060;branch=z9hG4bK1;rport\r\n" +
        'Route: <sip:first;lr>\r\nMax-Forwards: 70\r\nFrom: "a" <sip:a@b>;tag=f\r\nTo: <sip:c@d>\r\nCall-ID: c\r\n' +
        "CSeq: 7 INVITE\r\nAuthorization: Digest x\r\nSubject: a X: 1\r\nContent-Type: text/plain\r\n" +
        "Content-Length: 5\r\n\r\né\uFFFD",
    );
  });

  it("has its credentials for those alone who may know them", () => {
    expect(writeRequest(request, "UDP", false).toString()).not.toContain("Authorization");
  });

  it("has a branch that nobody can guess, and no two the same", () => {
    const branches = new Set(Array.from({ length: 1_000 }, newBranch));
    expect(branches.size).toBe(1_000);
    for (const branch of branches) expect(branch).toMatch(/^z9hG4bK[0-9a-f]{24}$/);
  });
});
