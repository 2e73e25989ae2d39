// One bridge with trunks of every kind: TLS with a verified certificate, TLS with one of its own, WebSocket, secure
// WebSocket, SDES-SRTP; and trunks that it must not trust, or that do not trust it.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Baresip, type BaresipOptions, startBaresip } from "../parts/telephones/baresip.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { createAuthority } from "../parts/base/certificates.ts";
import { toneAt } from "../parts/base/hearing.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { until } from "../parts/base/until.ts";

const NEAR_HZ = 440;
const FAR_HZ = 1000;
const HOST = "sip.example.org";
const NUMBERS = {
  tls: "01632960401",
  guarded: "01632960402",
  websocket: "01632960403",
  secureWebSocket: "01632960404",
  untrusted: "01632960405",
  misnamed: "01632960406",
  nobody: "01632960407",
  encrypted: "01632960408",
  clear: "01632960409",
} as const;
type Name = keyof typeof NUMBERS;

const rig = suiteRig("outbound-trunks");
let stage: Stage<Name>;
let alice: Browser;

beforeAll(async () => {
  const [authority, stranger] = await Promise.all([
    createAuthority(rig, "authority"),
    createAuthority(rig, "stranger"),
  ]);
  const [certificate, own] = await Promise.all([authority.issue(HOST), authority.issue("bridge.example.org")]);
  const trusting = { ca_file: authority.certificateFile, server_name: HOST };
  const ours = { certificate_file: own.certificateFile, key_file: own.keyFile };
  stage = await startStage(rig, NUMBERS, {
    tls: { certificate, clients: authority },
    trunks: ({ port, tlsPort, guardedPort }, ports) => {
      const trunk = (name: Name, transport: string, towards: number, rest: object = {}) => ({
        prefix: NUMBERS[name],
        section: { ...rest, name, server: `127.0.0.1:${towards}`, transport },
      });
      return [
        trunk("tls", "tls", tlsPort, { tls: trusting }),
        trunk("guarded", "tls", guardedPort, { tls: { ...trusting, ...ours } }),
        trunk("websocket", "ws", port),
        trunk("secureWebSocket", "wss", tlsPort, { tls: trusting }),
        trunk("untrusted", "tls", tlsPort, { tls: { ...trusting, ca_file: stranger.certificateFile } }),
        trunk("misnamed", "tls", tlsPort, { tls: { ...trusting, server_name: "other.example.org" } }),
        trunk("nobody", "tls", guardedPort, { tls: trusting }),
        trunk("encrypted", "udp", ports["encrypted"] ?? 0, { media: { srtp: "required" } }),
      ];
    },
  });
  const account = await stage.synapse.register("alice");
  alice = await startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: NEAR_HZ });
});

// A test that fails in a call leaves none to the next one.
afterEach(() => alice.phone.hangupAll());

const hearEachOther = (phone: Baresip) =>
  Promise.all([toneAt(alice.hears, FAR_HZ, [NEAR_HZ]), toneAt(phone.hears, NEAR_HZ, [FAR_HZ])]);

const telephone = (name: Name, options: Partial<BaresipOptions> = {}): Promise<Baresip> =>
  startBaresip(rig, { number: NUMBERS[name], port: stage.ports[name], toneHz: FAR_HZ, ...options });

/** Dials, is refused, and reads why. */
async function refused(name: Name, words: string): Promise<void> {
  const { roomId } = await alice.phone.dial(NUMBERS[name]);
  expect(await alice.inState("ended")).toMatchObject({ shown: "Call Failed", hangupParty: "remote" });
  const notice = await until("a notice", async () => {
    const all = await alice.phone.messages();
    return all.find((message) => message.roomId === roomId);
  });
  expect(notice.body).toBe(words);
}

describe("A call over", () => {
  it.for([
    ["TLS, verified by our own authority,", "tls", "tls", "the bridge's"],
    ["TLS with a certificate of the bridge's own", "guarded", "tls", "the proxy's"],
    ["WebSocket", "websocket", "ws", "the bridge's"],
    ["secure WebSocket", "secureWebSocket", "wss", "the bridge's"],
  ] as const)(
    "%s is heard both ways; the callee hangs up on the connection that is there",
    async ([, name, transport, whoseConnection]) => {
      const phone = await telephone(name);
      const { log } = stage.proxy;
      const from = log.text.length;
      await alice.phone.dial(NUMBERS[name]);
      await phone.event("CALL_ESTABLISHED");
      await alice.inState("connected");
      await hearEachOther(phone);
      const invite = `request INVITE \\S*${NUMBERS[name]}\\S* from ${transport}:127\\.0\\.0\\.1:(\\d+) credentials=bridge`;
      const [, invitePort] = await log.waitFor(new RegExp(invite), { from });
      await log.waitFor(new RegExp(`request ACK \\S+ from ${transport}:127\\.0\\.0\\.1:${invitePort} `), { from });
      await phone.hangup();
      expect(await alice.inState("ended")).toMatchObject({ hangupParty: "remote", errors: [] });
      const bye = `answer 200 OK to BYE from ${transport}:127\\.0\\.0\\.1:(\\d+)`;
      const [, byePort] = await log.waitFor(new RegExp(bye), { from });
      // Who has a certificate listens too, and is called there; all others are reached by the way they came.
      expect(byePort === invitePort).toBe(whoseConnection === "the bridge's");
    },
  );

  it("a trunk that requires SRTP is heard both ways; the caller hangs up", async () => {
    const phone = await telephone("encrypted", { srtp: true });
    await alice.phone.dial(NUMBERS.encrypted);
    await phone.event("CALL_ESTABLISHED");
    await alice.inState("connected");
    await hearEachOther(phone);
    await alice.phone.hangup();
    await phone.event("CALL_CLOSED");
  });
});

describe("A caller reads that", () => {
  const unreachable = "The telephone provider cannot be reached. Please try again later.";

  it.for([
    ["its certificate is of a stranger", "untrusted"],
    ["its certificate is for another host", "misnamed"],
    ["it wants a certificate that the bridge does not have", "nobody"],
  ] as const)("the provider cannot be reached when %s", async ([, name]) => {
    const from = stage.proxy.log.text.length;
    await refused(name, unreachable);
    expect(stage.proxy.log.text.slice(from)).not.toContain(NUMBERS[name]);
  });

  it("the other end cannot handle the call when it wants SRTP and the trunk has none", async () => {
    const phone = await telephone("clear", { srtp: true });
    await refused("clear", "The other end cannot handle this kind of call.");
    await phone.stop();
  });
});
