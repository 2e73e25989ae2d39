// How long people wait until they hear something, in calls of MatrixRTC at a real livekit-server and in those of the VoIP module, in
// turns in one run; and what a call costs the bridge from its first event to its last.
import type { ClientEvent } from "../../dev/homeserver/homeserver.ts";
import { figure, median, quantile } from "../parts/statistics.ts";
import { bot, ghost, telephone, World, type CpuSpent } from "./world.ts";

const rounds = 12;
/** Of each round, which are not counted. */
const warmUps = 2;
/** For so long people talk. */
const talkMs = 500;

const memberType = "org.matrix.msc3401.call.member";
const ringType = "org.matrix.msc4075.rtc.notification";

/** What a person waits for, in ms. */
interface Waits {
  /** From what they or the telephone did until their client rings; undefined where they call themselves. */
  readonly ringMs?: number;
  /** From their invite, answer or membership until they hear the first packet. */
  readonly audioMs: number;
}

/** A client's, while the call is up. */
interface Ear {
  readonly until: (holds: () => boolean) => Promise<unknown>;
  readonly heardMs: () => number;
}

interface Measured extends Waits {
  readonly cpu: CpuSpent;
}

const isRoom = (roomId: string, type: string, sender: string) => (event: ClientEvent) =>
  event.room_id === roomId && event.type === type && event.sender === sender;
const isIn = (roomId: string, user: string) => (event: ClientEvent) =>
  isRoom(roomId, memberType, user)(event) && "application" in event.content;
const hasLeft = (roomId: string, user: string) => (event: ClientEvent) =>
  isRoom(roomId, memberType, user)(event) && !("application" in event.content);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Each way to talk with the telephone, once; all is over when it resolves. */
function waysOf(world: World, room: string, lobby: string): Readonly<Record<Way, () => Promise<Waits>>> {
  const { gateway, legacy, rtc } = world;
  const isQuiet = (): boolean => gateway.calls.every(({ end }) => end !== undefined);

  const talk = async ({ until, heardMs }: Ear, sinceMs: () => Promise<number>): Promise<number> => {
    await until(() => heardMs() > 0);
    const heardAtMs = performance.now();
    await pause(talkMs);
    return heardAtMs - (await sinceMs());
  };
  const takenMs = async (what: string, fits: (event: ClientEvent) => boolean) => (await world.taken(what, fits)).atMs;

  const joined = async (roomId: string, user: string, rings: boolean): Promise<number> => {
    const call = await rtc.join(roomId, rings);
    const ear = { until: (holds: () => boolean) => call.until(holds, 20_000), heardMs: () => call.heardMs };
    const audioMs = await talk(ear, () => takenMs("the membership", isIn(roomId, rtc.userId)));
    await call.leave();
    await world.taken("the number's leave", hasLeft(roomId, user));
    await gateway.until(isQuiet);
    return audioMs;
  };

  return {
    "legacy out": async () => {
      const call = await legacy.call(telephone);
      const ear = { until: (holds: () => boolean) => call.until(holds, 20_000), heardMs: () => call.heardMs };
      const audioMs = await talk(ear, () => takenMs("the invite", isRoom(call.roomId, "m.call.invite", legacy.userId)));
      await call.hangup();
      await gateway.until(isQuiet);
      return { audioMs };
    },
    "rtc out": async () => ({ audioMs: await joined(room, ghost, true) }),
    "legacy in": async () => {
      const beganMs = performance.now();
      await world.ring("legacy");
      const call = await legacy.incoming();
      const rangMs = await takenMs("the invite", isRoom(call.roomId, "m.call.invite", ghost));
      await call.answer();
      const ear = { until: (holds: () => boolean) => call.until(holds, 20_000), heardMs: () => call.heardMs };
      const audioMs = await talk(ear, () => takenMs("the answer", isRoom(call.roomId, "m.call.answer", legacy.userId)));
      await call.hangup();
      await gateway.until(isQuiet);
      return { ringMs: rangMs - beganMs, audioMs };
    },
    "rtc in": async () => {
      const beganMs = performance.now();
      await world.ring("rtc");
      const rangMs = await takenMs("the ring", isRoom(room, ringType, ghost));
      return { ringMs: rangMs - beganMs, audioMs: await joined(room, ghost, false) };
    },
    "ring back": async () => {
      await rtc.write(lobby, `call ${telephone}`);
      const writtenMs = await takenMs("the message", isRoom(lobby, "m.room.message", rtc.userId));
      const rangMs = await takenMs("the ring", isRoom(lobby, ringType, bot));
      return { ringMs: rangMs - writtenMs, audioMs: await joined(lobby, bot, false) };
    },
  };
}

const allWays = ["legacy out", "rtc out", "legacy in", "rtc in", "ring back"] as const;
type Way = (typeof allWays)[number];

/** Printable lines. */
export async function run(): Promise<{ readonly lines: readonly string[]; readonly failures: readonly string[] }> {
  const world = await World.start();
  if (world === undefined) return { lines: ["rtc: not measured, for want of a livekit-server"], failures: [] };
  const measured = new Map<Way, Measured[]>(allWays.map((way) => [way, []]));
  const failures: string[] = [];
  try {
    const [room, lobby] = [await world.rtc.roomWith(ghost), await world.rtc.roomWith(bot)];
    await world.taken("the number", (event) => event.sender === ghost && event.content["membership"] === "join");
    await world.taken("the bot", (event) => event.sender === bot && event.content["membership"] === "join");
    const ways = waysOf(world, room, lobby);
    for (let round = 0; round < rounds + warmUps; round += 1) {
      for (const way of allWays) {
        world.forget();
        const before = await world.cpu();
        try {
          const waits = await ways[way]();
          const after = await world.cpu();
          const cpu = { bridgeMs: after.bridgeMs - before.bridgeMs, workersMs: after.workersMs - before.workersMs };
          if (round >= warmUps) measured.get(way)?.push({ ...waits, cpu });
        } catch (error) {
          failures.push(`rtc: ${way}, call ${round + 1}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    }
  } finally {
    await world.stop();
  }
  return {
    lines: linesOf(measured),
    failures: [...failures, ...world.complaints.map((line) => `rtc: bridge: ${line}`)],
  };
}

/** /proc counts the time of workers in steps of 10 ms, of which a median would be one. */
function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function linesOf(measured: ReadonlyMap<Way, readonly Measured[]>): readonly string[] {
  const of = (way: Way, value: (one: Measured) => number | undefined): readonly number[] =>
    (measured.get(way) ?? []).flatMap((one) => value(one) ?? []);
  const said = (values: readonly number[]): string =>
    `${figure(median(values))} ms (${figure(Math.min(...values))} to ${figure(quantile(values, 1))})`;
  const ratio = (way: Way, beside: Way, value: (one: Measured) => number | undefined): string => {
    const [ones, others] = [of(way, value), of(beside, value)];
    return figure(median(ones.map((one, index) => one / (others[index] ?? Number.NaN)).filter(Number.isFinite)), 2);
  };
  const audio = (one: Measured): number => one.audioMs;
  const ring = (one: Measured): number | undefined => one.ringMs;
  const bridge = (one: Measured): number => one.cpu.bridgeMs;
  const workers = (one: Measured): number => one.cpu.workersMs;
  return [
    `rtc: ${rounds} calls of each kind in turns; each figure is a median, with the least and the most`,
    `rtc: a person calls: from their membership to the first audio ${said(of("rtc out", audio))}; legacy, from the invite ${said(of("legacy out", audio))}; ratio ${ratio("rtc out", "legacy out", audio)}`,
    `rtc: a telephone calls: from the INVITE to the ring ${said(of("rtc in", ring))}; legacy ${said(of("legacy in", ring))}; ratio ${ratio("rtc in", "legacy in", ring)}`,
    `rtc: a person answers: from their membership to the first audio ${said(of("rtc in", audio))}; legacy, from the answer ${said(of("legacy in", audio))}; ratio ${ratio("rtc in", "legacy in", audio)}`,
    `rtc: \`call NUMBER\` to the bot: to the ring ${said(of("ring back", ring))}; from the membership to the first audio ${said(of("ring back", audio))}`,
    ...(["rtc out", "rtc in"] as const).map((way) => {
      const beside = way === "rtc out" ? "legacy out" : "legacy in";
      return `rtc: CPU of a call with half a second of talk, ${way}: the bridge ${figure(mean(of(way, bridge)), 1)} ms (legacy ${figure(mean(of(beside, bridge)), 1)} ms), its worker ${figure(mean(of(way, workers)), 1)} ms (legacy ${figure(mean(of(beside, workers)), 1)} ms)`;
    }),
  ];
}
