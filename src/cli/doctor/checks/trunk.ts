// One trunk: its name, its servers, their certificates, and what they answer. Beside a running bridge that is asked what
// takes the trunk's own port or registration.
import { isIP } from "node:net";
import { systemClock } from "../../../clock/system-clock.ts";
import { toTrunkSettings } from "../../../config/mapping/mapping.ts";
import type { Config } from "../../../config/schema/schema.ts";
import type { StopList } from "../../../bridge/operation/stop-list.ts";
import type { Log } from "../../../ports/telemetry.ts";
import { resolveServers, unreachable, type ResolvedServer } from "../../../sip/probe/gateways.ts";
import { openTrunkProbe, type ProbeAnswer, type TrunkProbe } from "../../../sip/probe/trunk-probe.ts";
import { createDns, familyOf, Resolver, type Dns } from "../../../sip/transport/resolver.ts";
import { bracketed, tlsNames, unbracketed, type Target } from "../../../sip/transport/sockets/target.ts";
import { packageVersion } from "../../version.ts";
import type { Beside, TrunkState } from "../beside.ts";
import { inspectCertificate, inspectOwn } from "../certificate.ts";
import { failed, ok, skipped, warning, type Check, type Finding, type Problem } from "../check.ts";
import {
  judgeCodecs,
  judgeCredentials,
  judgeHealth,
  judgeRegistration,
  registerAnswerOf,
  wordsOf,
  worksByOptions,
  type JudgedTrunk,
} from "./sip-answers.ts";

export interface TrunkParts {
  readonly config: Config;
  readonly beside: Beside;
  readonly telemetry: { readonly log: Log };
  readonly stops: StopList;
  readonly nowMs: () => number;
  /** How long an answer may take. */
  readonly answerMs: number;
  /** The system's unless given. */
  readonly dns?: Dns | undefined;
}

/** A trunk with what is found out once for all of its checks. */
export interface TrunkLink extends JudgedTrunk {
  readonly name: string;
  readonly resolver: Resolver;
  readonly servers: () => Promise<readonly ResolvedServer[]>;
}

export function linksOf({ config, dns = createDns() }: Pick<TrunkParts, "config" | "dns">): readonly TrunkLink[] {
  return toTrunkSettings(config, `matrix-appservice-sip/${packageVersion()}`).map((settings, index) => {
    const resolver = new Resolver({ dns, clock: systemClock, family: familyOf(settings.local.host) });
    const servers = once(() => resolveServers(settings, resolver));
    return { name: settings.name, settings, setting: `trunks[${index}]`, resolver, servers };
  });
}

export function trunkChecks(links: readonly TrunkLink[], parts: TrunkParts): readonly Check[] {
  return links.flatMap((link) => [...wayChecks(link, parts), ...sipChecks(link, parts)]);
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}

/** What is before SIP. */
function wayChecks(link: TrunkLink, parts: TrunkParts): readonly Check[] {
  const { name: trunk, settings } = link;
  const isTls = settings.transport === "tls" || settings.transport === "wss";
  const { certificate } = settings.tls;
  const [dns, transport, tls] = ["trunk-dns", "trunk-transport", "trunk-certificate"] as const;
  return [
    { id: dns, trunk, needs: [], limitMs: 6_000, run: async () => judgeNames(await link.servers(), link) },
    { id: transport, trunk, needs: [dns], run: () => checkTransport(link, parts) },
    ...(isTls ? [{ id: tls, trunk, needs: [transport], run: () => checkCertificates(link, parts) } as const] : []),
    ...(certificate === undefined
      ? []
      : [
          {
            id: "own-certificate",
            trunk,
            needs: [],
            run: () => inspectOwn(certificate, parts.nowMs(), `${link.setting}.tls.certificate`),
          } as const,
        ]),
  ];
}

function judgeNames(servers: readonly ResolvedServer[], { setting }: TrunkLink): Finding {
  const named = ({ server, targets }: ResolvedServer): string =>
    isIP(unbracketed(server.replace(/:\d+$/, ""))) === 0
      ? `${server} is ${targets.map(({ address, port }) => `${bracketed(address)}:${port}`).join(", ")}`
      : `${server} is an address`;
  const problems = servers.flatMap(({ failure }, index): readonly Problem[] => {
    if (failure === undefined) return [];
    const where = index === 0 ? `${setting}.server` : `${setting}.more_servers`;
    return [{ found: failure.message, mend: `check ${where}, and this machine's name servers` }];
  });
  return ofAll(
    problems,
    servers.length,
    servers
      .filter(({ failure }) => failure === undefined)
      .map(named)
      .join("; "),
  );
}

/** One server that works is enough for calls. */
function ofAll(problems: readonly Problem[], count: number, fine: string): Finding {
  if (problems.length === 0) return ok(fine);
  return { kind: problems.length === count ? "failed" : "warning", problems };
}

async function targetsOf({ servers }: TrunkLink): Promise<readonly Target[]> {
  return (await servers()).flatMap(({ targets }) => targets);
}

const place = ({ address, port }: Target): string => `${bracketed(address)}:${port}`;

async function checkTransport(link: TrunkLink, { answerMs }: TrunkParts): Promise<Finding> {
  const { settings, setting } = link;
  const { transport, local } = settings;
  const targets = await targetsOf(link);
  const failures = await Promise.all(targets.map((target) => unreachable(target, transport, local.host, answerMs)));
  const mend = `check ${setting}.server, its port and ${setting}.transport, and the firewalls on the way`;
  const problems = failures.flatMap((failure) => (failure === undefined ? [] : [{ found: failure.message, mend }]));
  if (problems.length > 0 || transport !== "udp")
    return ofAll(problems, targets.length, `${transport} to ${targets.map(place).join(", ")}`);
  const [first] = targets;
  // RFC 3261 s18.1.1: what is too long for a datagram goes over TCP.
  const noTcp = first && (await unreachable(first, "tcp", local.host, 1_000));
  const tcp = noTcp === undefined ? "; long messages can take TCP" : "; no TCP there, so that long messages are cut up";
  return ok(`nothing refuses udp to ${targets.map(place).join(", ")}${tcp}`);
}

async function checkCertificates(link: TrunkLink, { nowMs }: TrunkParts): Promise<Finding> {
  const { settings, setting } = link;
  const { ca, certificate, key, serverName } = settings.tls;
  const serverNames = [settings.server, ...settings.moreServers].map(({ host }) => unbracketed(host));
  const targets = await targetsOf(link);
  const findings = await Promise.all(
    targets.map((target) => {
      const own = certificate === undefined || key === undefined ? undefined : { cert: certificate, key };
      const names = tlsNames(target, serverName, serverNames);
      const server = { host: target.address, port: target.port, ca, own, ...names };
      return inspectCertificate(server, nowMs(), {
        untrusted: `set ${setting}.tls.ca_file to the authority that signed it, if it is the right one`,
        name: `set ${setting}.tls.server_name to a name that it is for, if it is the right server`,
      });
    }),
  );
  const broken = findings.flatMap((one) => (one.kind === "failed" ? one.problems : []));
  if (broken.length > 0) return ofAll(broken, targets.length, "");
  return findings.find(({ kind }) => kind === "warning") ?? findings[0] ?? skipped("there is no server");
}

/** What is said in SIP. */
function sipChecks(link: TrunkLink, parts: TrunkParts): readonly Check[] {
  const { name: trunk, settings } = link;
  const { beside } = parts;
  const way = ["trunk-dns", "trunk-transport", "trunk-certificate"] as const;
  const isRegistering = settings.registration !== undefined;
  if (beside.kind === "unknown") {
    const run = (): Finding => skipped("nobody knows whether a bridge runs that does this");
    return [{ id: "trunk-options", trunk, needs: way, run }];
  }
  const state = beside.kind === "bridge" ? beside.trunks.find(({ name }) => name === trunk) : undefined;
  if (beside.kind === "bridge") return askedChecks(link, state);
  const probe = once(async () => {
    const opened = await openTrunkProbe({
      ...link,
      clock: systemClock,
      log: parts.telemetry.log,
      withinMs: parts.answerMs,
    });
    parts.stops.add(() => opened.close());
    return opened;
  });
  const options = once(async () => askAll(await targetsOf(link), await probe()));
  const register = once(async () => registerAt(await targetsOf(link), await options(), await probe()));
  return [
    { id: "trunk-options", trunk, needs: [...way, "ports"], run: async () => judgeOptions(await options(), link) },
    {
      id: "trunk-credentials",
      trunk,
      needs: ["trunk-options"],
      limitMs: 12_000,
      run: async () => (isRegistering ? judgeCredentials(await register(), link) : unasked(link, await options())),
    },
    ...(isRegistering
      ? [
          {
            id: "trunk-registration",
            trunk,
            needs: ["trunk-credentials"],
            limitMs: 12_000,
            run: async () => judgeRegistration(await register(), link, "it worked, and was taken back"),
          } as const,
        ]
      : []),
    { id: "trunk-codecs", trunk, needs: ["trunk-options"], run: async () => codecsIn(await options(), link) },
  ];
}

/** By the running bridge. */
function askedChecks(link: TrunkLink, state: TrunkState | undefined): readonly Check[] {
  const { name: trunk, settings } = link;
  const way = ["trunk-dns", "trunk-transport", "trunk-certificate"] as const;
  if (state === undefined) {
    const run = (): Finding =>
      warning("the running bridge has no such trunk: its configuration is an older one", "restart the bridge");
    return [{ id: "trunk-options", trunk, needs: way, run }];
  }
  const answer = registerAnswerOf(state, link);
  return [
    { id: "trunk-options", trunk, needs: [...way, "bridge"], run: () => judgeHealth(state, link) },
    ...(settings.registration === undefined
      ? []
      : ([
          {
            id: "trunk-credentials",
            trunk,
            needs: ["trunk-options"],
            run: () => judgeCredentials(answer, link),
          },
          {
            id: "trunk-registration",
            trunk,
            needs: ["trunk-credentials"],
            run: () => judgeRegistration(answer, link, `the running bridge says: ${state.detail}`),
          },
        ] as const)),
  ];
}

interface Asked {
  readonly target: Target;
  readonly answer: ProbeAnswer;
}

function askAll(targets: readonly Target[], probe: TrunkProbe): Promise<readonly Asked[]> {
  return Promise.all(targets.map(async (target) => ({ target, answer: await probe.options(target) })));
}

/** The first gateway that works, as the bridge does. */
async function registerAt(
  targets: readonly Target[],
  asked: readonly Asked[],
  probe: TrunkProbe,
): Promise<ProbeAnswer> {
  const target = asked.find(({ answer }) => worksByOptions(answer))?.target ?? targets[0];
  return target === undefined ? { kind: "none", message: "no server to ask" } : probe.register(target);
}

function judgeOptions(asked: readonly Asked[], { settings, setting }: TrunkLink): Finding {
  const dead = asked.filter(({ answer }) => !worksByOptions(answer));
  const words = ({ target, answer }: Asked): string => `${place(target)}: ${wordsOf(answer)}`;
  const port = settings.local.port === 0 ? "" : ` from port ${settings.local.port}`;
  const mend =
    `check that the trunk knows this machine's address, and that answers${port} get through the firewall; ` +
    `then ${setting}.server and transport`;
  const problems = dead.map((one) => ({ found: `OPTIONS: ${words(one)}`, mend }));
  return ofAll(problems, asked.length, asked.map(words).join("; "));
}

/** A trunk that does not register asks for the password with the first call at the latest. */
function unasked({ settings, setting }: TrunkLink, asked: readonly Asked[]): Finding {
  const answer = asked.map((one) => one.answer).find((one) => one.kind === "answered");
  if (answer?.kind !== "answered") return skipped("the trunk was not asked");
  const { status, gotPassword } = answer;
  if (settings.credentials === undefined) return skipped("the trunk has none, and does not register");
  if (status === 401 || status === 407 || (status === 403 && gotPassword))
    return failed(
      `the trunk refuses the password of ${settings.credentials.username} (${wordsOf(answer)})`,
      `check ${setting}.credentials`,
    );
  if (gotPassword) return ok("the trunk takes user name and password");
  return skipped("the trunk asks for the password with a call, and not before");
}

function codecsIn(asked: readonly Asked[], link: TrunkLink): Finding {
  for (const { answer } of asked)
    if (answer.kind === "answered" && answer.sdp !== undefined && answer.sdp !== "")
      return judgeCodecs(answer.sdp, link);
  return skipped(`the trunk does not say before a call; it may speak ${link.settings.media.codecs.join(", ")}`);
}
