// Telephones call people on Matrix over one trunk, and everything crosses, is lost or comes twice: SIPp plays each race
// against the bridge as it runs for an operator.
import { createSocket } from "node:dgram";
import { beforeAll, describe, expect, it } from "vitest";
import { bind } from "../../../dev/loopback/listen.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import type { Callee } from "../parts/clients/callee.ts";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { type Scenario, type Sipp, type SippOptions, startSipp } from "../parts/telephones/sipp.ts";
import { startTrunkStage, type TrunkStage } from "../parts/stages/trunk-stage.ts";
import { until } from "../parts/base/until.ts";

const CALLED = "2001";
/** To whom a trunk sends us on. */
const THIRD = "7001";
// baresip 1.0 gives up where SHA-256 is named beside MD5.
const PROVIDER = { username: "provider", password: "correct-horse", algorithms: ["MD5"] };
const rig = suiteRig("trunk-calls-in");
let stage: TrunkStage;
let thirdPort: number;
let ann: Callee;

beforeAll(async () => {
  thirdPort = await freePort();
  stage = await startTrunkStage(rig, {
    trunks: [
      { name: "third", server: `127.0.0.1:${thirdPort}`, prefix: THIRD },
      { name: "races", server: `127.0.0.1:${await freePort()}` },
      {
        name: "asked",
        server: `127.0.0.1:${await freePort()}`,
        challenge: { realm: "matrix.example.org", ...PROVIDER },
      },
    ],
    numbers: { [CALLED]: "ann" },
  });
  ann = await stage.callee("ann");
});

let callers = 5000;

/** A telephone with a number of its own calls. */
async function call(
  scenario: Scenario,
  options: Partial<SippOptions> & { trunk?: string } = {},
): Promise<{ caller: string; sipp: Sipp }> {
  callers += 1;
  const caller = `${callers}`;
  const { trunk = "races", ...rest } = options;
  const sipp = await startSipp(rig, { scenario, target: stage.door(trunk), number: CALLED, caller, ...rest });
  return { caller, sipp };
}

const times = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
const said = (sipp: Sipp, pattern: RegExp): Promise<true> =>
  until(`${pattern} in the messages`, async () => pattern.test(await sipp.messages()));

describe.concurrent("A telephone calls a person", () => {
  // The longest first: the others are played meanwhile.
  it("and never acknowledges the answer: the 200 is repeated for 32 s, then the bridge hangs up", async () => {
    const { caller, sipp } = await call("uac-never-acks", { timeoutMs: 45_000 });
    const ringing = await ann.rung(caller);
    await ringing.answer();
    await sipp.done();
    expect(times(await sipp.messages(), /^SIP\/2\.0 200[^]*?^CSeq: 1 INVITE/gm)).toBeGreaterThan(8);
    await ringing.told("m.call.hangup");
  });

  it("who answers; the telephone hangs up", async () => {
    const { caller, sipp } = await call("uac-talks", { talkMs: 100 });
    const ringing = await ann.rung(caller);
    await ringing.answer();
    await sipp.done();
    await ringing.told("m.call.select_answer");
    await ringing.told("m.call.hangup");
  });

  it("who answers, and hangs up", async () => {
    const { caller, sipp } = await call("uac-wait-bye");
    const ringing = await ann.rung(caller);
    await ringing.answer();
    await said(sipp, /^ACK /m);
    await ringing.hangup();
    await sipp.done();
  });

  it("who declines: 603", async () => {
    const { caller, sipp } = await call("uac-declined");
    const ringing = await ann.rung(caller);
    await ringing.decline();
    await sipp.done();
  });

  it("whom nobody knows: 404", async () => {
    const { sipp } = await call("uac-no-such-number", { number: "2999" });
    await sipp.done();
  });
});

describe.concurrent("A telephone that gives up", () => {
  it("before it rings: nobody is left ringing", async () => {
    const { caller, sipp } = await call("uac-cancel-before-ringing");
    await sipp.done();
    // It may have been quick enough that nothing ever rang.
    if (ann.ringsOf(caller) > 0) await (await ann.rung(caller)).told("m.call.hangup");
  });

  it("while it rings: it stops ringing", async () => {
    const { caller, sipp } = await call("uac-cancel-while-ringing");
    const ringing = await ann.rung(caller);
    await ringing.told("m.call.hangup");
    await sipp.done();
  });

  it("by BYE before it is answered: the same", async () => {
    const { caller, sipp } = await call("uac-bye-before-answer");
    const ringing = await ann.rung(caller);
    await ringing.told("m.call.hangup");
    await sipp.done();
  });

  it("in the moment of the answer, too late: acknowledges, and hangs up", async () => {
    const { caller, sipp } = await call("uac-cancel-crosses-answer");
    const ringing = await ann.rung(caller);
    await ringing.answer();
    await sipp.done();
    expect(times(await sipp.messages(), /^SIP\/2\.0 487/gm)).toBe(0);
    await ringing.told("m.call.hangup");
  });
});

describe.concurrent("What is lost, or comes twice:", () => {
  it("an ACK: the 200 comes again, and the call stands", async () => {
    const { caller, sipp } = await call("uac-drop-one-ack", { talkMs: 800 });
    const ringing = await ann.rung(caller);
    await ringing.answer();
    await sipp.done();
    expect(times(await sipp.messages(), /^SIP\/2\.0 200[^]*?^CSeq: 1 INVITE/gm)).toBeGreaterThan(1);
    await ringing.told("m.call.hangup");
  });

  it("an INVITE: the person is rung once", async () => {
    const { caller, sipp } = await call("uac-repeats-invite", { talkMs: 100 });
    const ringing = await ann.rung(caller);
    await ringing.answer();
    await sipp.done();
    await ringing.told("m.call.hangup");
    expect(ann.ringsOf(caller)).toBe(1);
  });

  it("a PRACK: the 180 comes again, and is acknowledged then", async () => {
    const { caller, sipp } = await call("uac-drop-one-prack", { talkMs: 100 });
    const ringing = await ann.rung(caller);
    await said(sipp, /^PRACK /m);
    await said(sipp, /^SIP\/2\.0 200[^]*^CSeq: 2 PRACK/m);
    await ringing.answer();
    await sipp.done();
    expect(times(await sipp.messages(), /^SIP\/2\.0 180/gm)).toBeGreaterThan(1);
  });
});

describe.concurrent("Descriptions:", () => {
  it("the offer may be ours, and the answer in the ACK", async () => {
    const { caller, sipp } = await call("uac-late-offer", { talkMs: 100 });
    const ringing = await ann.rung(caller);
    await ringing.answer();
    await sipp.done();
    await ringing.told("m.call.hangup");
  });

  it("an UPDATE before the answer is answered; one with an offer has to wait", async () => {
    const { caller, sipp } = await call("uac-update-before-answer", { talkMs: 100 });
    const ringing = await ann.rung(caller);
    await said(sipp, /^SIP\/2\.0 500/m);
    await ringing.answer();
    await sipp.done();
  });

  it("two re-INVITEs that cross are both refused, and ours is made again", async () => {
    const { caller, sipp } = await call("uac-reinvite-glare", { talkMs: 100 });
    const ringing = await ann.rung(caller);
    await ringing.answer();
    await said(sipp, /^ACK /m);
    await ringing.offer("sendonly");
    await ringing.told("m.call.negotiate");
    await sipp.done();
  });
});

describe.concurrent("A trunk that asks for more:", () => {
  it("an extension that nobody knows is refused with its name, and rings nobody", async () => {
    const { caller, sipp } = await call("uac-unknown-require");
    await sipp.done();
    expect(ann.ringsOf(caller)).toBe(0);
  });

  it("another telephone in the place of the first one: that is let go, and nobody is rung again", async () => {
    const { caller, sipp } = await call("uac-replaces", { talkMs: 100 });
    const ringing = await ann.rung(caller);
    await ringing.answer();
    await sipp.done();
    await ringing.told("m.call.hangup");
    expect(ann.ringsOf(caller)).toBe(1);
  });

  it("to call somebody else (REFER): they are called on it, it is told, and its own call ends", async () => {
    const third = await startSipp(rig, { scenario: "uas-wait-bye", port: thirdPort });
    const { caller, sipp } = await call("uac-refers", { trunk: "third", words: { third: THIRD } });
    const ringing = await ann.rung(caller);
    await ringing.answer();
    await sipp.done();
    await ringing.hangup();
    await third.done();
  });

  it("that its call is refreshed: by re-INVITE, as it knows no UPDATE", async () => {
    const { caller, sipp } = await call("uac-session-refreshed");
    const ringing = await ann.rung(caller);
    await ringing.answer();
    await sipp.done();
    await ringing.told("m.call.hangup");
  });

  it("that it is refreshed more often than is good for anybody: is told so, and calls again", async () => {
    const { caller, sipp } = await call("uac-session-too-brief", { talkMs: 100 });
    const ringing = await ann.rung(caller);
    await ringing.answer();
    await sipp.done();
    await ringing.told("m.call.hangup");
    expect(ann.ringsOf(caller)).toBe(1);
  });

  it("keys by INFO are taken, whichever way they are written", async () => {
    const { caller, sipp } = await call("uac-sends-keys", { talkMs: 100 });
    const ringing = await ann.rung(caller);
    await ringing.answer();
    await sipp.done();
  });
});

describe.concurrent("A telephone that has to prove who it is", () => {
  /** Passwords as accounts are written: without spaces. */
  const dial = async (number: string, password: string): Promise<Baresip> => {
    const phone = await startBaresip(rig, {
      number,
      toneHz: 1000,
      account: `;auth_user=${PROVIDER.username};auth_pass=${password}`,
    });
    await phone.command("dial", `sip:${CALLED}@${stage.door("asked")}`);
    return phone;
  };

  it("and does: the call goes on as any other", async () => {
    const phone = await dial("4901", PROVIDER.password);
    const ringing = await ann.rung(phone.number);
    await ringing.answer();
    await phone.event("CALL_ESTABLISHED");
    await phone.hangup();
    await ringing.told("m.call.hangup");
  });

  it("and does not know the password: hears so, and rings nobody", async () => {
    const phone = await dial("4902", "wrong");
    expect(await phone.event("CALL_CLOSED")).toMatchObject({ param: "401 Unauthorized" });
    expect(ann.ringsOf(phone.number)).toBe(0);
  });
});

describe("A stranger", () => {
  it("gets no answer at all, whatever it sends", async () => {
    const [host = "", port = ""] = stage.door("races").split(":");
    const open = async (address: string) => {
      const socket = createSocket("udp4");
      await bind(socket, 0, address);
      rig.defer(`socket of ${address}`, async () => void socket.close());
      const heard: string[] = [];
      socket.on("message", (bytes) => heard.push(bytes.toString()));
      const send = (method: string): void => {
        const from = `${address}:${socket.address().port}`;
        const lines = [
          `${method} sip:${CALLED}@${host}:${port} SIP/2.0`,
          `Via: SIP/2.0/UDP ${from};branch=z9hG4bK${method}${address};rport`,
          "Max-Forwards: 70",
          `From: <sip:100@${from}>;tag=scan`,
          `To: <sip:${CALLED}@${host}:${port}>`,
          `Call-ID: ${method}@${from}`,
          `CSeq: 1 ${method}`,
          `Contact: <sip:100@${from}>`,
          "Content-Length: 0",
        ];
        socket.send(`${lines.join("\r\n")}\r\n\r\n`, Number(port), host);
      };
      return { heard, send };
    };
    const stranger = await open("127.0.0.2");
    const trunk = await open("127.0.0.1");
    for (const method of ["INVITE", "OPTIONS", "REGISTER", "MESSAGE", "BYE"]) stranger.send(method);
    trunk.send("OPTIONS");
    await until("the trunk's own OPTIONS to be answered", () => trunk.heard.some((text) => text.includes(" 200 OK")));
    expect(stranger.heard).toEqual([]);
    expect(ann.ringsOf("100")).toBe(0);
  });
});
