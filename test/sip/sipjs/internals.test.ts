// The parts of sip.js that are corrected or reached into. When a new version moves one of them, this says which.
import {
  ClientTransaction,
  InviteClientTransaction,
  InviteUserAgentClient,
  InviteUserAgentServer,
  LoggerFactory,
  NonInviteClientTransaction,
  SessionDialog,
  SignalingState,
  Timers,
  UserAgentClient,
  UserAgentCore,
} from "sip.js/lib/core/index.js";
import { AllowedMethods } from "sip.js/lib/core/user-agent-core/allowed-methods.js";
import manifest from "sip.js/package.json" with { type: "json" };
import { describe, expect, it } from "vitest";
import { Core, newBranch, setTimers } from "../../../src/sip/sipjs/core.ts";
import { ExactUri, IncomingRequest } from "../../../src/sip/sipjs/messages.ts";
import { ALLOWED_METHODS, OutgoingRequest, sdpBody } from "../../../src/sip/sipjs/requests.ts";
import type { SipMessage, SipRequest } from "../../../src/sip/wire/message.ts";
import { parseSip } from "../../../src/sip/wire/parser.ts";

function core(sent: string[] = []): Core {
  const loggerFactory = new LoggerFactory();
  loggerFactory.builtinEnabled = false;
  const nobody = new ExactUri("sip:localhost", undefined);
  const transport = { protocol: "UDP", send: (text: string) => Promise.resolve(void sent.push(text)) };
  return new Core(
    {
      aor: nobody,
      contact: { pubGruu: undefined, tempGruu: undefined, uri: nobody, toString: () => "<sip:us@here>" },
      displayName: "",
      loggerFactory,
      hackViaTcp: false,
      routeSet: [],
      sipjsId: "",
      supportedOptionTags: [],
      supportedOptionTagsResponse: [],
      userAgentHeaderFieldValue: "test",
      viaForceRport: true,
      viaHost: "127.0.0.1:5060",
      authenticationFactory: () => undefined,
      transportAccessor: () => transport,
    },
    "test",
    () => undefined,
  );
}

function parsed(text: string): SipMessage {
  const result = parseSip(text.replace(/\r?\n/g, "\r\n"));
  if (result.outcome !== "message") throw new Error(`not a message: ${text}`);
  return result.message;
}

const request = (method: string, branch: string, more = ""): SipRequest =>
  parsed(
    `${method} sip:us@here SIP/2.0\nVia: SIP/2.0/UDP peer:5060;branch=${branch}\nFrom: <sip:peer@there>;tag=p\n` +
      `To: <sip:us@here>\nCall-ID: c\nCSeq: 1 ${method}\nContact: <sip:peer@there>\n${more}Content-Length: 0\n\n`,
  ) as SipRequest;

describe("sip.js is the version whose inside is known", () => {
  it("0.21.2", () => expect(manifest.version).toBe("0.21.2"));

  it.each([
    ["ClientTransaction.makeId", ClientTransaction, "makeId"],
    ["InviteClientTransaction.ack", InviteClientTransaction.prototype, "ack"],
    ["InviteClientTransaction.ackResponse", InviteClientTransaction.prototype, "ackResponse"],
    ["UserAgentClient.authenticationGuard", UserAgentClient.prototype, "authenticationGuard"],
    ["UserAgentClient.init", UserAgentClient.prototype, "init"],
    ["UserAgentClient.onTransportError", UserAgentClient.prototype, "onTransportError"],
    ["InviteUserAgentClient.onTransportError", InviteUserAgentClient.prototype, "onTransportError"],
    ["SessionDialog.receiveRequest", SessionDialog.prototype, "receiveRequest"],
    ["SessionDialog.sequenceGuard", SessionDialog.prototype, "sequenceGuard"],
    ["UserAgentCore.makeOutgoingRequestMessage", UserAgentCore.prototype, "makeOutgoingRequestMessage"],
    ["UserAgentCore.replyStateless", UserAgentCore.prototype, "replyStateless"],
  ])("%s is there", (_name, owner: object, member) => {
    expect(typeof Reflect.get(owner, member)).toBe("function");
  });
});

describe("corrected", () => {
  it("branches are drawn from a space that nobody can guess, by every client transaction", () => {
    const sent: string[] = [];
    const agent = core(sent);
    const uri = new ExactUri("sip:peer@there", undefined);
    for (let calls = 0; calls < 50; calls++) {
      const options = agent.makeOutgoingRequestMessage("OPTIONS", uri, uri, uri, {});
      expect(new UserAgentClient(NonInviteClientTransaction, agent, options).message).toBe(options);
    }
    const branches = sent.map((text) => parsed(text).vias[0].branch);
    expect(new Set(branches).size).toBe(50);
    for (const branch of branches) expect(branch).toMatch(/^z9hG4bK[0-9a-f]{24}$/);
    expect(newBranch()).not.toBe(newBranch());
    agent.dispose();
  });

  it("a CANCEL keeps the branch of its INVITE", () => {
    const makeId = Reflect.get(ClientTransaction, "makeId") as (request: object) => string;
    expect(makeId({ method: "CANCEL", branch: "z9hG4bKinvite" })).toBe("z9hG4bKinvite");
  });

  it("an ACK to a refusal repeats all Route values of the INVITE", () => {
    const sent: string[] = [];
    const agent = core(sent);
    const uri = new ExactUri("sip:peer@there", undefined);
    const routeSet = ["<sip:near;lr>", "<sip:far;lr>"];
    const invite = agent.makeOutgoingRequestMessage("INVITE", uri, uri, uri, { routeSet }, [], sdpBody("v=0\r\n"));
    const client = agent.invite(invite);
    const via = `SIP/2.0/UDP 127.0.0.1:5060;branch=${invite.branch}`;
    const refusal = parsed(
      `SIP/2.0 486 Busy\nVia: ${via}\nFrom: <sip:peer@there>;tag=${invite.fromTag}\nTo: <sip:peer@there>;tag=x\n` +
        `Call-ID: ${invite.callId}\nCSeq: 1 INVITE\nContent-Length: 0\n\n`,
    );
    expect(client.message.branch).toBe(invite.branch);
    const transaction = Reflect.get(client, "transaction") as { receiveResponse(response: object): void };
    const headers: Record<string, string> = { to: "<sip:peer@there>;tag=x" };
    const response = { statusCode: 486, getHeader: (name: string) => headers[name], wire: refusal };
    Reflect.apply(Reflect.get(InviteClientTransaction.prototype, "ack") as () => void, transaction, [response]);
    const ack = parsed(sent.at(-1) ?? "");
    expect(ack.routes).toHaveLength(2);
    expect(ack.vias[0].branch).toBe(invite.branch);
    agent.dispose();
  });

  it("what peers may ask is what we do, UPDATE among it", () => {
    expect(AllowedMethods).toEqual([...ALLOWED_METHODS]);
    expect(AllowedMethods).toContain("UPDATE");
  });

  it("all timers follow T1", () => {
    setTimers({ t1Ms: 10, t2Ms: 80 });
    expect(Timers).toMatchObject({
      T1: 10,
      T2: 80,
      TIMER_B: 640,
      TIMER_F: 640,
      TIMER_H: 640,
      TIMER_L: 640,
      TIMER_M: 640,
    });
    // What D, I, J and K would wait for is the retransmitter's business.
    expect(Timers).toMatchObject({ TIMER_D: 0, TIMER_I: 0, TIMER_J: 0, TIMER_K: 0 });
    setTimers({ t1Ms: 500, t2Ms: 4_000 });
  });

  it("a restored dialog may make offers: the state's name is still the one that is set", () => {
    expect(SignalingState.Stable).toBe("Stable");
    const agent = core();
    const state = {
      id: "cab",
      early: false,
      callId: "c",
      localTag: "a",
      remoteTag: "b",
      localSequenceNumber: 1,
      remoteSequenceNumber: undefined,
      localURI: new ExactUri("sip:a@a", undefined),
      remoteURI: new ExactUri("sip:b@b", undefined),
      remoteTarget: new ExactUri("sip:b@b", undefined),
      routeSet: [],
      secure: false,
    };
    const past = { request: {}, state: "Terminated", addStateChangeListener() {}, removeStateChangeListener() {} };
    const dialog = new SessionDialog(past as never, agent, state);
    expect(dialog.signalingState).toBe("Initial");
    Reflect.set(dialog, "_signalingState", SignalingState.Stable);
    expect(dialog.signalingState).toBe("Stable");
    expect(agent.dialogs.get("cab")).toBe(dialog);
  });

  it("merged requests are found by an index, and forgotten with their transactions", () => {
    const agent = core();
    agent.delegate = { onInvite: (server) => void server.reject({ statusCode: 480 }) };
    const first = new IncomingRequest(request("INVITE", "z9hG4bKone"));
    expect(agent.isMerged(first)).toBe(false);
    agent.configuration.aor = new ExactUri("sip:us@here", "us");
    agent.receiveIncomingRequestFromTransport(first);
    expect(agent.isMerged(first)).toBe(false);
    expect(agent.isMerged(new IncomingRequest(request("INVITE", "z9hG4bKtwo")))).toBe(true);
    agent.dispose();
    expect(agent.isMerged(new IncomingRequest(request("INVITE", "z9hG4bKthree")))).toBe(false);
    // The core's own search must find nothing to walk through.
    expect([...agent.userAgentServers.values()]).toEqual([]);
  });
});

describe("what leaves", () => {
  it("is serialised by us: no value starts a new line, nothing untrue in Supported", () => {
    const uri = new ExactUri("sip:a@b", undefined);
    const invite = new OutgoingRequest("agent\r\nX: 1", "INVITE", uri, uri, uri, { callId: "c", viaHost: "here" }, [
      "Subject: a\r\nX: 1",
    ]);
    invite.setFrom('"a" <sip:a@b>');
    invite.setViaHeader("z9hG4bKx", "UDP");
    const text = invite.toString();
    expect(parsed(text).headers.map(({ name }) => name)).not.toContain("X");
    expect(text).toContain("Supported: 100rel, replaces, timer\r\n");
    expect(text).not.toContain("outbound");
    const bye = new OutgoingRequest("agent", "BYE", uri, uri, uri, { callId: "c", toTag: "t" });
    expect(bye.toString()).not.toContain("Supported");
  });

  it("URIs go out as they came in", () => {
    for (const text of ["sip:%23a;b=c@host:5060;transport=tcp?X=%20", "tel:+49-30", "sips:a@b"]) {
      const exact = new ExactUri(text, "a");
      expect([exact.toString(), exact.toRaw(), exact.clone().toString()]).toEqual([text, text, text]);
    }
  });
});

describe("the INVITE server", () => {
  it("takes our tag, hears the CANCEL, and repeats a provisional only until it is told not to", () => {
    const sent: string[] = [];
    const agent = core(sent);
    const cancels: unknown[] = [];
    agent.configuration.aor = new ExactUri("sip:us@here", "us");
    agent.delegate = {
      onInvite: (server) => {
        if (!(server instanceof InviteUserAgentServer)) throw new TypeError("another kind of server");
        Reflect.set(server, "toTag", "ours");
        server.delegate = { onCancel: (message) => void cancels.push(message) };
        server.trying();
        const { session, message } = server.progress({ statusCode: 180 });
        expect(session).toBeInstanceOf(SessionDialog);
        expect(message).toContain("To: <sip:us@here>;tag=ours\r\n");
        const { transaction } = server;
        expect(Reflect.get(transaction, "progressExtensionTimer")).toBeDefined();
        const stop: unknown = Reflect.get(transaction, "stopProgressExtensionTimer");
        if (typeof stop === "function") stop.call(transaction);
        expect(Reflect.get(transaction, "progressExtensionTimer")).toBeUndefined();
        server.receiveCancel("cancel" as never);
        server.accept({ statusCode: 200, body: sdpBody("v=0") });
        expect(transaction.state).toBe("Accepted");
        expect(session.signalingState).toBe("HaveLocalOffer");
      },
    };
    agent.receiveIncomingRequestFromTransport(new IncomingRequest(request("INVITE", "z9hG4bKone")));
    expect(cancels).toEqual(["cancel"]);
    expect(sent.map((text) => text.slice(8, 11))).toEqual(["100", "180", "200"]);
    agent.dispose();
  });
});
