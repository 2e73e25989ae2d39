// The place of a Unix socket: nobody but its owner can open it from its first moment on, what a dead process left there is
// replaced, and what a live one listens on is left alone.
import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync, type Stats } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import type { Listener } from "./listener.ts";

/** The kernel's own limit (unix(7)): 108 with the zero at the end. */
const longestPath = 107;
const probeTimeoutMs = 2_000;

export class SocketError extends Error {
  override readonly name = "SocketError";
  readonly code: "in-use" | "not-a-socket" | "too-long" | "unavailable";
  constructor(code: SocketError["code"], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export interface OpenSocket {
  /** The user that owns it, and alone can open it. */
  readonly uid: number;
  /** Removes it, unless another process has put its own there. */
  remove(): void;
}

/** Throws SocketError. */
export async function listenOnSocket(listener: Listener, path: string): Promise<OpenSocket> {
  const found = statOf(path);
  if (found !== undefined && !found.isSocket())
    throw new SocketError(
      "not-a-socket",
      `${path} is there already, and is no socket: remove it, or set admin.socket.path`,
    );
  if (found !== undefined && (await isLive(path)))
    throw new SocketError("in-use", `a running bridge listens on ${path}: stop it, or set admin.socket.path`);
  // Bound in a folder of its own, it has its mode before anybody can see it, and takes the place of a dead one at once.
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(dirname(path), ".a-"));
    const made = join(folder, "s");
    if (Math.max(Buffer.byteLength(made), Buffer.byteLength(path)) > longestPath)
      throw new SocketError("too-long", `${path} is too long for a socket: set admin.socket.path to a shorter path`);
    await listener.listen({ path: made });
    chmodSync(made, 0o600);
    const { ino, dev, uid } = lstatSync(made);
    renameSync(made, path);
    return {
      uid,
      remove() {
        const now = statOf(path);
        if (now?.ino === ino && now.dev === dev) rmSync(path, { force: true });
      },
    };
  } catch (cause) {
    await listener.stop();
    if (cause instanceof SocketError) throw cause;
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "failed";
    throw new SocketError("unavailable", `${path} cannot be made: ${why}; see admin.socket.path`, { cause });
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Nobody listens on a socket that refuses; whoever may not even try leaves it alone. */
function isLive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    const end = (live: boolean): void => {
      probe.destroy();
      resolve(live);
    };
    probe.setTimeout(probeTimeoutMs, () => end(true));
    probe.once("connect", () => end(true));
    probe.once("error", (error: NodeJS.ErrnoException) => end(!["ECONNREFUSED", "ENOENT"].includes(error.code ?? "")));
  });
}
