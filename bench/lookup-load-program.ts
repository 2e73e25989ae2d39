// The homeserver's side of lookups: a few connections that are kept alive, on each one request after the other.
// Reads no more of HTTP than it needs, so that it can ask faster than anybody answers.
import { Agent, get } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { numberAt } from "./parts/house.ts";
import { serve } from "./parts/program.ts";
import { sharedMs } from "./parts/statistics.ts";

export interface Round {
  readonly port: number;
  readonly token: string;
  readonly connections: number;
  readonly durationMs: number;
  /** Index of the first number asked for; each request asks for the next one. */
  readonly firstNumber: number;
}

export interface RoundResult {
  readonly answered: number;
  readonly elapsedMs: number;
}

/** As many lookups, spread evenly over the time, however long the answers take. */
export interface PacedRound {
  readonly port: number;
  readonly token: string;
  readonly perSecond: number;
  readonly count: number;
  readonly firstNumber: number;
}

/** Of one lookup, by the clock that the programs share. */
export interface AnsweredLookup {
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

export type LookupLoadDialogue = {
  run: { question: Round; answer: RoundResult };
  paced: { question: PacedRound; answer: readonly AnsweredLookup[] };
};

const headEnd = Buffer.from("\r\n\r\n");

/** Length of the first answer in `bytes`; undefined while it is not complete. Throws if it is not the one that is wanted. */
function answerLength(bytes: Buffer, number: string): number | undefined {
  const bodyStart = bytes.indexOf(headEnd) + headEnd.length;
  if (bodyStart < headEnd.length) return undefined;
  const head = bytes.toString("latin1", 0, bodyStart);
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
  if (!head.startsWith("HTTP/1.1 200 ") || length === undefined) throw new Error(`unexpected answer: ${head}`);
  const end = bodyStart + Number(length);
  if (bytes.length < end) return undefined;
  if (!bytes.subarray(bodyStart, end).includes(number)) throw new Error(`the answer for ${number} is another's`);
  return end;
}

async function run({ port, token, connections, durationMs, firstNumber }: Round): Promise<RoundResult> {
  let next = firstNumber;
  let answered = 0;
  const startMs = performance.now();
  const endMs = startMs + durationMs;

  const serveOne = (socket: Socket): Promise<void> =>
    new Promise((resolve, reject) => {
      let number = "";
      let received: Buffer = Buffer.alloc(0);
      const ask = (): void => {
        number = numberAt(next);
        next += 1;
        socket.write(
          `GET /_matrix/app/v1/thirdparty/user/m.protocol.pstn?m.id.phone=${number} HTTP/1.1\r\n` +
            `Host: 127.0.0.1:${port}\r\nUser-Agent: bench\r\nAccept: application/json\r\n` +
            `Authorization: Bearer ${token}\r\n\r\n`,
        );
      };
      socket.setNoDelay(true);
      socket.once("connect", ask);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("the server closed a connection")));
      socket.on("data", (chunk: Buffer) => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
        try {
          if (answerLength(received, number) === undefined) return;
        } catch (error) {
          socket.destroy();
          reject(error instanceof Error ? error : new Error(String(error)));
          return;
        }
        received = Buffer.alloc(0);
        answered += 1;
        if (performance.now() < endMs) return ask();
        resolve();
        socket.destroy();
      });
    });

  await Promise.all(Array.from({ length: connections }, () => serveOne(connect(port, "127.0.0.1"))));
  return { answered, elapsedMs: performance.now() - startMs };
}

async function paced({ port, token, perSecond, count, firstNumber }: PacedRound): Promise<readonly AnsweredLookup[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const headers = { authorization: `Bearer ${token}` };
  const lookUp = (number: string): Promise<AnsweredLookup> =>
    new Promise((resolve, reject) => {
      const askedAtMs = sharedMs();
      const path = `/_matrix/app/v1/thirdparty/user/m.protocol.pstn?m.id.phone=${number}`;
      get({ agent, host: "127.0.0.1", port, path, headers }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`unexpected answer: ${response.statusCode}`));
        response.resume().once("end", () => resolve({ askedAtMs, answeredAtMs: sharedMs() }));
      }).once("error", reject);
    });
  const startMs = performance.now();
  const asked: Promise<AnsweredLookup>[] = [];
  while (asked.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - startMs) * perSecond) / 1_000) + 1);
    while (asked.length < due) asked.push(lookUp(numberAt(firstNumber + asked.length)));
    await delay(1);
  }
  const answered = await Promise.all(asked);
  agent.destroy();
  return answered;
}

serve<LookupLoadDialogue>({ run, paced });
