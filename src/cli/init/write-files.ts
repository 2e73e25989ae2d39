// Writing without overwriting: a new file is made or nothing is, and what was made goes again if something fails after it.
import {
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { ConfigError } from "../../config/reading/problem.ts";
import { codeOf } from "../../config/reading/secrets.ts";
import type { Accounts } from "./accounts.ts";

/** As deploy/matrix-appservice-sip.service has it. */
const bridgeGroup = "matrix-appservice-sip";

export interface FileWriter {
  /** Throws ConfigError if it is there already, or cannot be written. */
  create(path: string, text: string): void;
  /** A file that something else writes, if it is not there yet. */
  createBy(path: string, write: () => void): void;
  /** The files made, in their order, with their modes as `ls` has them. */
  made(): readonly { readonly path: string; readonly access: string }[];
  /** Takes back what was made. */
  undo(): void;
}

export function openWriter(accounts: Accounts): FileWriter {
  const made: string[] = [];
  const group = accounts.isRoot ? accounts.groupId(bridgeGroup) : undefined;
  const createBy = (path: string, write: () => void): void => {
    if (existsSync(path)) throw failure(path, "exists already, and is not overwritten");
    // Before it is there: a write that fails half-way leaves something too.
    made.push(path);
    write();
    if (group !== undefined) {
      chownSync(path, 0, group);
      chmodSync(path, 0o640);
    }
  };
  return {
    createBy,
    create(path, text) {
      createBy(path, () => {
        try {
          writeFileSync(path, text, { flag: "wx", mode: 0o600 });
        } catch (error) {
          throw failure(path, `cannot be written: ${codeOf(error)}`, error);
        }
      });
    },
    made: () =>
      made.map((path) => ({ path, access: group === undefined ? "for you alone" : `for the group ${bridgeGroup}` })),
    undo() {
      for (const path of made.splice(0)) rmSync(path, { force: true });
    },
  };
}

/** In one step, with the owner and mode that the file has. Throws ConfigError. */
export function replaceFile(path: string, text: string): void {
  try {
    // A link stays a link.
    const file = realpathSync(path);
    const { mode, uid, gid } = statSync(file);
    const temporary = `${file}.new`;
    rmSync(temporary, { force: true });
    try {
      writeFileSync(temporary, text, { flag: "wx", mode: 0o600 });
      chownSync(temporary, uid, gid);
      chmodSync(temporary, mode & 0o7777);
      renameSync(temporary, file);
    } finally {
      rmSync(temporary, { force: true });
    }
  } catch (error) {
    throw failure(path, `cannot be replaced: ${codeOf(error)}`, error);
  }
}

/** For a homeserver that runs as `user`; false if that cannot be done here. */
export function copyForUser(from: string, to: string, user: string, accounts: Accounts): boolean {
  const uid = accounts.userId(user);
  if (!accounts.isRoot || uid === undefined) return false;
  const text = readFileSync(from, "utf8");
  if (existsSync(to)) return readFileSync(to, "utf8") === text;
  try {
    writeFileSync(to, text, { flag: "wx", mode: 0o400 });
    chownSync(to, uid, statSync(to).gid);
    return true;
  } catch {
    // There is no such folder, or it is read-only: whoever reads the command finds out.
    rmSync(to, { force: true });
    return false;
  }
}

function failure(path: string, message: string, cause?: unknown): ConfigError {
  return new ConfigError(path, [{ path: [], message, line: undefined }], { cause });
}
