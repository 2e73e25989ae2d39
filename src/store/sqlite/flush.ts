// Has the system write what SQLite has committed to the disk. SQLite can do that itself (`synchronous = full`), but then the
// thread stands still while the disk works, and all calls with it.
import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Resolves when everything written to the file or folder is on the disk. */
export async function syncToDisk(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * In WAL mode a commit is what has been appended to the file beside the database (SQLite manual, "Write-Ahead Logging").
 * Those who ask while the disk works share the next time.
 */
export function flushing(path: string, writeThrough: (path: string) => Promise<void>): () => Promise<void> {
  let isFolderSafe = false;
  const flush = async (): Promise<void> => {
    await writeThrough(`${path}-wal`);
    if (isFolderSafe) return;
    // The file itself is new, and could be lost with its folder's entry.
    await writeThrough(dirname(resolve(path)));
    isFolderSafe = true;
  };
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        running = flush();
        return running;
      });
    return next;
  };
}
