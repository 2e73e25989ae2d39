// Who may read what `init` writes.
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { userInfo, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readAccounts, type Accounts } from "../../../src/cli/init/accounts.ts";
import { copyForUser, openWriter, replaceFile } from "../../../src/cli/init/write-files.ts";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "init-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);

const isRoot = userInfo().uid === 0;
const accounts = (more: Partial<Accounts> = {}): Accounts => ({
  isRoot,
  userId: (name) => (name === "matrix-synapse" ? 4_001 : undefined),
  groupId: (name) => (name === "matrix-appservice-sip" ? 4_002 : undefined),
  ...more,
});
const access = (name: string) => {
  const { mode, uid, gid } = statSync(path(name));
  return { mode: mode & 0o777, uid, gid };
};

describe.runIf(isRoot)("as root", () => {
  test("files are for the bridge's group, where there is one", () => {
    openWriter(accounts()).create(path("config.yaml"), "a: 1\n");
    expect(access("config.yaml")).toEqual({ mode: 0o640, uid: 0, gid: 4_002 });
    openWriter(accounts({ groupId: () => undefined })).create(path("other.yaml"), "a: 1\n");
    expect(access("other.yaml")).toEqual({ mode: 0o600, uid: 0, gid: 0 });
  });

  test("the homeserver gets a copy that is its own", () => {
    writeFileSync(path("registration.yaml"), "id: x\n");
    expect(copyForUser(path("registration.yaml"), path("copy.yaml"), "matrix-synapse", accounts())).toBe(true);
    expect(access("copy.yaml")).toMatchObject({ mode: 0o400, uid: 4_001 });
    // The same again is no harm, another one is not overwritten.
    expect(copyForUser(path("registration.yaml"), path("copy.yaml"), "matrix-synapse", accounts())).toBe(true);
    writeFileSync(path("registration.yaml"), "id: y\n");
    expect(copyForUser(path("registration.yaml"), path("copy.yaml"), "matrix-synapse", accounts())).toBe(false);
  });

  test("where that user or folder is not on this machine, nothing is written", () => {
    writeFileSync(path("registration.yaml"), "id: x\n");
    expect(copyForUser(path("registration.yaml"), path("copy.yaml"), "dendrite", accounts())).toBe(false);
    expect(copyForUser(path("registration.yaml"), path("none/copy.yaml"), "matrix-synapse", accounts())).toBe(false);
    expect(existsSync(path("copy.yaml"))).toBe(false);
  });
});

test("as anybody else, files are for them alone, and the homeserver's copy is left to a command", () => {
  writeFileSync(path("registration.yaml"), "id: x\n");
  openWriter(accounts({ isRoot: false })).create(path("config.yaml"), "a: 1\n");
  expect(access("config.yaml").mode).toBe(0o600);
  const done = copyForUser(path("registration.yaml"), path("copy.yaml"), "matrix-synapse", accounts({ isRoot: false }));
  expect([done, existsSync(path("copy.yaml"))]).toEqual([false, false]);
});

test("what was made goes again", () => {
  const writer = openWriter(accounts({ isRoot: false }));
  writer.create(path("one"), "1");
  expect(() => writer.create(path("none/two"), "2")).toThrow("cannot be written: there is no such file");
  expect(() => writer.create(path("one"), "2")).toThrow("exists already, and is not overwritten");
  writer.undo();
  expect(existsSync(path("one"))).toBe(false);
});

test("a file that cannot be replaced stays as it is", () => {
  expect(() => replaceFile(path("none"), "2")).toThrow("cannot be replaced: there is no such file");
});

test("this machine has a root, and nobody of a name that nobody has", () => {
  expect(readAccounts().userId("root")).toBe(0);
  expect(readAccounts().groupId("no such group")).toBeUndefined();
});
