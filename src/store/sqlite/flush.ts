// Has the system write what SQLite has committed to the disk. SQLite can do that itself (`synchronous = full`), but then the
// thread stands still while the disk works, and all calls with it.
import { close, fdatasync, open } from "node:fs";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";

export interface Disk {
  /** Resolves when everything written to the file or folder is on the disk. */
  sync(path: string): Promise<void>;
  close(): void;
}

const opened = promisify(open);
const synced = promisify(fdatasync);

/** Files stay open: SQLite has one file beside the database for as long as it is open, and writes to that again and again. */
export function realDisk(): Disk {
  const files = new Map<string, Promise<number>>();
  return {
    async sync(path) {
      let file = files.get(path);
      if (file === undefined) files.set(path, (file = opened(path, "r")));
      try {
        await synced(await file);
      } catch (error) {
        files.delete(path);
        throw error;
      }
    },
    close() {
      for (const file of files.values()) file.then((number) => close(number)).catch(() => undefined);
      files.clear();
    },
  };
}

/**
 * In WAL mode a commit is what has been appended to the file beside the database (SQLite manual, "Write-Ahead Logging").
 * Those who ask while the disk works share the next time.
 */
export function flushing(path: string, disk: Pick<Disk, "sync">): () => Promise<void> {
  let isFolderSafe = false;
  const flush = async (): Promise<void> => {
    await disk.sync(`${path}-wal`);
    if (isFolderSafe) return;
    // The file itself is new, and could be lost with its folder's entry.
    await disk.sync(dirname(resolve(path)));
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
