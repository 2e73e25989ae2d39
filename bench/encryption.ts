// What keys cost: of a number's own device, in memory and time, and of each event that is decrypted or encrypted. The
// homeserver and the person's client are another process.
import { systemClock } from "../src/clock/system-clock.ts";
import { parseUserId, roomId, type UserId } from "../src/core/ids.ts";
import { Connections } from "../src/matrix/http/connections.ts";
import { HomeserverClient } from "../src/matrix/client/homeserver-client.ts";
import { CryptoWorker } from "../src/matrix/encryption/crypto-worker.ts";
import { Encryption } from "../src/matrix/encryption/encryption.ts";
import type { MatrixFact } from "../src/ports/homeserver.ts";
import type { Log } from "../src/ports/telemetry.ts";
import type { KeysDialogue } from "./keys-program.ts";
import { cpuMs } from "./parts/cpu.ts";
import { startProgram } from "./parts/program.ts";
import { figure, median } from "./parts/statistics.ts";

const ghosts = 1_000;
const atOnce = 10;
const rooms = 50;
const eventsInRoom = 10;

const silence = (): void => undefined;
const log: Log = { trace: silence, debug: silence, info: silence, warn: silence, error: silence, child: () => log };

function user(text: string): UserId {
  const found = parseUserId(text);
  if (found === undefined) throw new Error(`${text} is no user id`);
  return found;
}

async function timed(times: number[], work: () => Promise<unknown>): Promise<void> {
  const before = performance.now();
  if ((await work()) === undefined) throw new Error("an event could not be read");
  times.push(performance.now() - before);
}

export async function run(): Promise<readonly string[]> {
  const program = startProgram<KeysDialogue>("keys-program.ts");
  const connections = new Connections(await program.ask("start"), "token");
  const speaker = user("@_sip_number0:example.org");
  const encryption = new Encryption({
    client: new HomeserverClient(connections, user("@_sip_sender:example.org"), systemClock, log),
    worker: new CryptoWorker(systemClock, log),
    sender: user("@_sip_sender:example.org"),
    ours: async () => [speaker],
    secret: Buffer.alloc(44, 7),
    mode: "always",
    clock: systemClock,
    log,
  });
  try {
    encryption.start();
    await encryption.registered(speaker);
    const before = { cpu: cpuMs(), rss: process.memoryUsage().rss };
    const made: number[] = [];
    for (let next = 1; next <= ghosts; next += atOnce) {
      const some = Array.from({ length: atOnce }, (_, index) => user(`@_sip_number${next + index}:example.org`));
      await Promise.all(some.map((one) => timed(made, () => encryption.registered(one).then(() => true))));
    }
    const after = { cpu: cpuMs(), rss: process.memoryUsage().rss };
    const first: number[] = [];
    const later: number[] = [];
    const sent: number[] = [];
    for (let number = 0; number < rooms; number++) {
      const room = roomId(`!room${number}:example.org`);
      await program.ask("room", { room, ghost: speaker });
      encryption.note({ kind: "room.encrypted", room } as MatrixFact);
      for (let count = 0; count < eventsInRoom; count++) {
        const event = JSON.stringify(await program.ask("event", { room, ghost: speaker }));
        await timed(count === 0 ? first : later, () => encryption.open(room, event));
        await timed(sent, () => encryption.seal(room, speaker, "m.room.message", { msgtype: "m.text", body: "Hello" }));
      }
    }
    return [
      `encryption           : a number's keys ${figure(median(made) / atOnce, 1)} ms (${atOnce} at once), ${figure((after.cpu - before.cpu) / ghosts, 1)} ms CPU, ${figure((after.rss - before.rss) / ghosts / 1000)} KB`,
      `encryption           : an event is read after ${figure(median(later), 2)} ms, the first of a key after ${figure(median(first), 1)} ms`,
      `encryption           : an event is encrypted after ${figure(median(sent), 1)} ms`,
    ];
  } finally {
    encryption.giveUp();
    await encryption.stop();
    await connections.close();
    await program.stop();
  }
}
