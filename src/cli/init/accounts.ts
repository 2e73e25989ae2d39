// The users and groups of this machine, so that files belong to who has to read them.
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";

export interface Accounts {
  /** Whether files may be given to others. */
  readonly isRoot: boolean;
  /** Undefined: there is no such user. */
  userId(name: string): number | undefined;
  groupId(name: string): number | undefined;
}

export function readAccounts(): Accounts {
  return {
    isRoot: userInfo().uid === 0,
    userId: (name) => idIn("/etc/passwd", name),
    groupId: (name) => idIn("/etc/group", name),
  };
}

/** Both files have the name first and the id third. */
function idIn(file: string, wanted: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  const fields = text.split("\n").map((line) => line.split(":"));
  const id = Number(fields.find(([name]) => name === wanted)?.[2] ?? Number.NaN);
  return Number.isInteger(id) ? id : undefined;
}
