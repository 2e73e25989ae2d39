// Trunks that register at a real Kamailio: calls come to where we said we are, also after the registrar has forgotten
// everybody, and over the proxy that stands before it.
import { beforeAll, describe, expect, it } from "vitest";
import type { Callee } from "../parts/clients/callee.ts";
import type { Log } from "../parts/base/log.ts";
import { createAuthority } from "../parts/base/certificates.ts";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { type Registrar, startEdgeProxy, startRegistrar } from "../parts/proxies/registrar.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { startSipp } from "../parts/telephones/sipp.ts";
import { startTrunkStage, type TrunkStage } from "../parts/stages/trunk-stage.ts";

const NAMES = ["udp", "tcp", "ws", "wss", "edge", "brief", "wrong"] as const;
type Name = (typeof NAMES)[number];
const HOST = "sip.example.org";
const PASSWORD = "correct-horse";
/** Who is registered there, and the number that is called. */
const ACCOUNTS: Readonly<Record<Name, string>> = {
  udp: "3001",
  tcp: "3002",
  ws: "3003",
  edge: "3004",
  brief: "3005",
  wrong: "3006",
  wss: "3007",
};

const rig = suiteRig("trunk-registrar");
const registrars = new Map<Name, Registrar>();
let stage: TrunkStage;
let ann: Callee;
let edgePort: number;
let edge: Log;

const registrar = (name: Name): Registrar => {
  const found = registrars.get(name);
  if (found === undefined) throw new Error(`no registrar for ${name}`);
  return found;
};

function serverPort(name: Name): number {
  if (name === "edge") return edgePort;
  return name === "wss" ? registrar(name).tlsPort : registrar(name).port;
}

beforeAll(async () => {
  edgePort = await freePort();
  const authority = await createAuthority(rig, "authority");
  const certificate = await authority.issue(HOST);
  await Promise.all(
    NAMES.map(async (name) => {
      const started = await startRegistrar(rig, {
        account: { user: ACCOUNTS[name], password: PASSWORD },
        expiresSeconds: name === "brief" ? 6 : 60,
        ...(name === "edge" ? { edgePort } : {}),
        ...(name === "wss" ? { certificate } : {}),
      });
      registrars.set(name, started);
    }),
  );
  edge = await startEdgeProxy(rig, edgePort, registrar("edge").port);
  stage = await startTrunkStage(rig, {
    trunks: NAMES.map((name) => ({
      name,
      server: `127.0.0.1:${serverPort(name)}`,
      transport: name === "tcp" || name === "ws" || name === "wss" ? name : "udp",
      domain: HOST,
      ...(name === "wss" ? { tls: { ca_file: authority.certificateFile, server_name: HOST } } : {}),
      credentials: { username: ACCOUNTS[name], password: name === "wrong" ? "guessed" : PASSWORD },
      registration: { expires_seconds: 60 },
      // The lowest that shows a registrar that was away.
      options_interval_seconds: 5,
      prefix: ACCOUNTS[name],
    })),
    numbers: Object.fromEntries(NAMES.map((name) => [ACCOUNTS[name], "ann"])),
  });
  ann = await stage.callee("ann");
});

const REGISTERED = (name: Name): RegExp => new RegExp(`request REGISTER .* credentials=${ACCOUNTS[name]} `);
let callers = 6000;

/** Somebody calls the account; the person answers, and the caller hangs up. */
async function called(name: Name): Promise<string> {
  callers += 1;
  const caller = `${callers}`;
  const target = `127.0.0.1:${registrar(name).port}`;
  const sipp = await startSipp(rig, { scenario: "uac-talks", target, number: ACCOUNTS[name], caller, talkMs: 100 });
  const ringing = await ann.rung(caller);
  await ringing.answer();
  await sipp.done();
  await ringing.told("m.call.hangup");
  return await sipp.messages();
}

describe.concurrent("A trunk that registers", () => {
  it("for a few seconds registers again before they are over, and again", async () => {
    const { log } = registrar("brief");
    for (let from = 0, count = 0; count < 3; count += 1) {
      const match = await log.waitFor(REGISTERED("brief"), { from });
      from += match.index + match[0].length;
    }
    await called("brief");
  });

  it.for(["udp", "tcp", "ws", "wss"] as const)(
    "over %s is called where it is, and again when its registrar was gone and has forgotten everybody",
    async (name) => {
      await registrar(name).log.waitFor(REGISTERED(name));
      await called(name);
      await registrar(name).kill();
      await stage.running.saying(new RegExp(`"trunk":"${name}"[^\n]*"trunk is down"`));
      await registrar(name).start();
      await registrar(name).log.waitFor(REGISTERED(name));
      await called(name);
    },
  );

  it("behind a proxy is called by the Path that this has added, and calls by the route that the registrar names", async () => {
    await registrar("edge").log.waitFor(REGISTERED("edge"));
    expect(await called("edge")).toMatch(new RegExp(`^Record-Route: <sip:127\\.0\\.0\\.1:${edgePort}`, "m"));
    const alice = await stage.caller("alice");
    const call = await alice.call(`${ACCOUNTS.edge}9`);
    expect(await call.until(({ end }) => end)).toMatchObject({ by: "bridge", how: "rejected", reason: "user_busy" });
    const invite = `request INVITE sip:${ACCOUNTS.edge}9@\\S+ from udp:127\\.0\\.0\\.1:`;
    await edge.waitFor(new RegExp(`${invite}\\d+ route=<sip:127\\.0\\.0\\.1:${edgePort};lr> `));
    await registrar("edge").log.waitFor(new RegExp(`${invite}${edgePort} `));
  });

  it("with a wrong password asks once, and says so", async () => {
    await stage.running.saying(/"trunk":"wrong"[^\n]*"registration refused"/);
    expect(registrar("wrong").log.text.match(/request REGISTER/g)).toHaveLength(2);
  });
});

it("A bridge that stops takes its registrations back (RFC 3665 s2.4)", async () => {
  await stage.running.stop();
  for (const name of ["udp", "tcp", "ws", "wss", "edge", "brief"] as const) {
    await registrar(name).log.waitFor(new RegExp(`request REGISTER .* expires=0 credentials=${ACCOUNTS[name]} `));
  }
});
