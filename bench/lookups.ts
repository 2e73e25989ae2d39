// How many lookups a second the bridge answers over HTTP, beside a bare express handler with the same answers.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { BridgeDialogue } from "./bridge-program.ts";
import type { ExpressDialogue } from "./express-program.ts";
import type { AnsweredLookup, LookupLoadDialogue, PacedRound } from "./lookup-load-program.ts";
import { startHomeserverDouble, type HomeserverDouble } from "./parts/homeserver-double.ts";
import { ghostOf, houseOf, numberAt } from "./parts/house.ts";
import { startProgram, type Program, type ProgramOptions } from "./parts/program.ts";
import { figure, median, quantile, sharedMs } from "./parts/statistics.ts";

const connections = 16;
const pairs = 9;
const roundMs = 800;
const warmUpMs = 1_500;
/** One that a busy office makes, and far more than a homeserver asks. */
const paces = [
  { perSecond: 10, count: 100 },
  { perSecond: 200, count: 600 },
];
/** Ghosts that have not got their picture by then are none that were made ahead. */
const ghostPatienceMs = 3_000;
/** Nothing answers there, and nothing is asked: lookups never reach a trunk. */
const deadPort = 9;

/** Lookups/s of both, and the median of their ratios. Throws where their answers differ. */
export async function run(bridgeOptions: Pick<ProgramOptions, "execArgv"> = {}): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "bench-lookups-"));
  const pictures = new Map<string, number>();
  const homeserver = await startHomeserverDouble({
    joined: () => undefined,
    sent: () => undefined,
    created: () => "",
    pictured: (ghost) => pictures.set(ghost, sharedMs()),
  });
  const bridge = startProgram<BridgeDialogue>("bridge-program.ts", bridgeOptions);
  const bare = startProgram<ExpressDialogue>("express-program.ts");
  const load = startProgram<LookupLoadDialogue>("lookup-load-program.ts");
  try {
    const databasePath = join(folder, "bridge.db");
    const house = houseOf({ homeserverUrl: homeserver.url, databasePath, trunkPort: deadPort, history: false });
    const token = house.registration.hs_token;
    const [bridgePort, barePort] = await Promise.all([
      bridge.ask("start", { ...house, media: "none" }),
      bare.ask("start"),
    ]);
    // Ghosts are registered in the background, a few at a time, the rest is left for their invites. With a homeserver
    // that takes its time over it, that costs what it costs a lookup and nothing of what it costs besides.
    homeserver.holdRegistrations();
    await expectSameAnswers(bridgePort, barePort, token);
    const rivals = { ours: { server: bridge, port: bridgePort }, bare: { server: bare, port: barePort } };
    const lines = await compare(rivals, token, load, homeserver);
    const ghosts = {
      pictures,
      homeserver,
      ask: (pace: Pace) => load.ask("paced", { port: bridgePort, token, ...pace }),
    };
    for (const pace of paces) lines.push(await ghostsAt(pace, ghosts));
    return lines;
  } finally {
    homeserver.release();
    await Promise.all([load.stop(), bare.stop(), bridge.stop()]);
    await homeserver.stop();
    await rm(folder, { recursive: true });
  }
}

interface Rival {
  readonly server: Pick<Program<ExpressDialogue>, "ask">;
  readonly port: number;
}

interface Speed {
  readonly perSecond: number;
  /** CPU of the server's process for one lookup. */
  readonly cpuUs: number;
}

async function compare(
  { ours, bare }: { readonly ours: Rival; readonly bare: Rival },
  token: string,
  load: Program<LookupLoadDialogue>,
  homeserver: HomeserverDouble,
): Promise<string[]> {
  let firstNumber = 0;
  const speedOf = async ({ server, port }: Rival, durationMs: number): Promise<Speed> => {
    const cpuBeforeMs = await server.ask("cpuMs");
    const { answered, elapsedMs } = await load.ask("run", { port, token, connections, durationMs, firstNumber });
    const cpuMs = (await server.ask("cpuMs")) - cpuBeforeMs;
    firstNumber += answered + connections;
    return { perSecond: (answered * 1000) / elapsedMs, cpuUs: (cpuMs * 1000) / answered };
  };
  for (const rival of [ours, bare]) await speedOf(rival, warmUpMs);
  const registered = homeserver.registered;
  const rounds: { readonly ours: Speed; readonly bare: Speed }[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    // Who goes first changes, so that neither always has the machine when somebody else wants it.
    const oursFirst = pair % 2 === 0;
    const first = await speedOf(oursFirst ? ours : bare, roundMs);
    const second = await speedOf(oursFirst ? bare : ours, roundMs);
    rounds.push(oursFirst ? { ours: first, bare: second } : { ours: second, bare: first });
  }
  if (homeserver.registered !== registered) throw new Error("ghosts were registered during the measurement");
  if (homeserver.problems.length > 0) throw new Error(`the bridge did more than it should: ${homeserver.problems[0]}`);
  const ratios = rounds.map((round) => round.ours.perSecond / round.bare.perSecond);
  const line = (name: string, of: (round: (typeof rounds)[number]) => Speed): string =>
    `lookups: ${name} ${figure(median(rounds.map((round) => of(round).perSecond)))} a second, ${figure(median(rounds.map((round) => of(round).cpuUs)))} us CPU each`;
  return [
    line("the bridge  ", (round) => round.ours),
    line("bare express", (round) => round.bare),
    `lookups: ratio ${figure(median(ratios), 2)} (the bridge to bare express; ${figure(Math.min(...ratios), 2)} to ${figure(Math.max(...ratios), 2)} in ${pairs} pairs), of CPU ${figure(median(rounds.map((round) => round.ours.cpuUs / round.bare.cpuUs)), 2)}`,
  ];
}

type Pace = Pick<PacedRound, "perSecond" | "count" | "firstNumber">;

interface GhostWatch {
  /** When each ghost got its picture. */
  readonly pictures: Map<string, number>;
  readonly homeserver: HomeserverDouble;
  readonly ask: (pace: Pace) => Promise<readonly AnsweredLookup[]>;
}

/** How soon the ghosts of lookups are there, and what their making costs those who wait for an answer. */
async function ghostsAt(
  { perSecond, count }: (typeof paces)[number],
  { pictures, homeserver, ask }: GhostWatch,
): Promise<string> {
  const took = (lookups: readonly AnsweredLookup[]): string =>
    quantiles(lookups.map(({ askedAtMs, answeredAtMs }) => answeredAtMs - askedAtMs));
  // Numbers that no other round asks for.
  const firstNumber = 5_000_000 + perSecond * 1_000;
  homeserver.holdRegistrations();
  const without = await ask({ perSecond, count, firstNumber: firstNumber + count });
  homeserver.release();
  await delay(ghostPatienceMs);
  const lookups = await ask({ perSecond, count, firstNumber });
  await delay(ghostPatienceMs);
  const readyAfterMs = lookups.flatMap(({ answeredAtMs }, index) => {
    const atMs = pictures.get(ghostOf(numberAt(firstNumber + index)));
    return atMs === undefined ? [] : [atMs - answeredAtMs];
  });
  return `lookups: at ${figure(perSecond)} a second, answers take ${took(lookups)} ms and ${took(without)} without making ghosts; ${figure(readyAfterMs.length)} of ${figure(count)} ghosts are made ahead, ready ${quantiles(readyAfterMs)} ms after the answer`;
}

/** Half of the values are below the first, 99 of 100 below the second. */
function quantiles(values: readonly number[]): string {
  return `${figure(median(values), 1)} (99 of 100: ${figure(quantile(values, 0.99), 1)})`;
}

async function expectSameAnswers(bridgePort: number, barePort: number, token: string): Promise<void> {
  const number = numberAt(9_999_999);
  const [ours, bare] = await Promise.all(
    [bridgePort, barePort].map(async (port) => {
      const path = `/_matrix/app/v1/thirdparty/user/m.protocol.pstn?m.id.phone=${number}`;
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return response.text();
    }),
  );
  if (ours !== bare) throw new Error(`the answers differ: ${ours} and ${bare}`);
}
