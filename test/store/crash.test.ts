// What real processes do to a real file: die in the middle, run out of room, meet another one.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { openSqliteStore } from "../../src/store/open-store.ts";

const program = fileURLToPath(new URL("writer-program.ts", import.meta.url));

function freshPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "crash-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "bridge.db");
}

interface Writer {
  readonly lines: readonly string[];
  readonly child: ChildProcess;
  /** Resolves with the first line that matches; rejects if the process ends without it. */
  said(form: RegExp): Promise<string>;
  readonly ended: Promise<void>;
}

/** `limitKiB` is how large a file the process may write. */
function startWriter(path: string, size: number, limitKiB?: number): Writer {
  const argv = [process.execPath, program, path, String(size)];
  const child =
    limitKiB === undefined
      ? spawn(process.execPath, argv.slice(1), { stdio: ["ignore", "pipe", "inherit"] })
      : spawn("sh", ["-c", `ulimit -f ${limitKiB * 2}; exec "$@"`, "sh", ...argv], {
          stdio: ["ignore", "pipe", "inherit"],
        });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  const reader = createInterface({ input: child.stdout ?? process.stdin });
  let over = false;
  const ended = new Promise<void>((resolve) =>
    reader.on("close", () => {
      over = true;
      for (const watch of watchers) watch();
      resolve();
    }),
  );
  reader.on("line", (line) => {
    lines.push(line);
    for (const watch of watchers) watch();
  });
  return {
    lines,
    child,
    ended,
    said: (form) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = lines.find((line) => form.test(line));
          if (found !== undefined) resolve(found);
          else if (over) reject(new Error(`never said ${form}: ${lines.slice(-3).join(", ")}`));
        };
        watchers.add(look);
        look();
      }),
  };
}

function rounds(lines: readonly string[], verb: string): readonly number[] {
  return lines.filter((line) => line.startsWith(`${verb} `)).map((line) => Number(line.split(" ")[1]));
}

it("a process killed in the middle leaves all that it had stored, and nothing half", async () => {
  const path = freshPath();
  const writer = startWriter(path, 100);
  await writer.said(/^saved 50$/);
  writer.child.kill("SIGKILL");
  await writer.ended;

  const store = await openSqliteStore(path);
  onTestFinished(() => store.close());
  const finished = new Set(rounds(writer.lines, "finished"));
  const pending = (await store.inbox.pending()).map((entry) => entry.eventId);
  const open = (await store.calls.open()).map(({ call }) => call.id);
  for (const round of rounds(writer.lines, "taken")) {
    // What was under way when it died may be done or not; all before it is as it was said to be.
    if (round >= rounds(writer.lines, "taken").length - 2) continue;
    expect(pending.includes(`$${round}` as never), `event ${round}`).toBe(!finished.has(round));
    expect(open.includes(`c-${round}` as never), `call ${round}`).toBe(!finished.has(round));
  }
  expect(
    await store.inbox.take([{ eventId: "$1" as never, room: "!r" as never, receivedAtMs: 1, json: "{}" }]),
  ).toEqual([]);
});

it("a disk that is full is said to be unusable, and what was stored before stays", async () => {
  const path = freshPath();
  const writer = startWriter(path, 100_000, 1_024);
  const failure = JSON.parse((await writer.said(/^failed/)).slice("failed ".length)) as unknown;
  expect(failure).toMatchObject({ name: "StoreError", code: "unavailable" });
  await writer.ended;
  const taken = rounds(writer.lines, "taken");
  expect(taken.length).toBeGreaterThan(1);

  const store = await openSqliteStore(path);
  onTestFinished(() => store.close());
  const finished = new Set(rounds(writer.lines, "finished"));
  const pending = (await store.inbox.pending()).map((entry) => entry.eventId);
  for (const round of taken.filter((one) => !finished.has(one))) expect(pending).toContain(`$${round}`);
});

it("a second bridge on the same file is refused in plain words, until the first one is gone, however it went", async () => {
  const path = freshPath();
  const writer = startWriter(path, 10);
  await writer.said(/^open$/);
  await expect(openSqliteStore(path)).rejects.toMatchObject({
    name: "StoreError",
    code: "locked",
    message: `another bridge runs on ${path}`,
  });
  writer.child.kill("SIGKILL");
  await writer.ended;
  await (await openSqliteStore(path)).close();
  await (await openSqliteStore(path)).close();
});

it("the files are their owner's alone: they say who called whom", async () => {
  const path = freshPath();
  const store = await openSqliteStore(path);
  onTestFinished(() => store.close());
  for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777, file).toBe(0o600);
});
