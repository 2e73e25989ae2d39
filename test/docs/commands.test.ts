// Every command that the README and docs/ show to be typed is real: the program takes it, npm has the script, the file is there.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { programOf } from "../../src/cli/command.ts";
import { blocksIn, pages, root, textOf } from "./pages.ts";

/** Programs that people have. Add what new docs need. */
const OTHERS = [
  "bash",
  "cd",
  "chmod",
  "chown",
  "cp",
  "curl",
  "docker",
  "helm",
  "kubectl",
  "npx",
  "openssl",
  "sudo",
  "systemctl",
];

const scripts = Object.keys((JSON.parse(textOf("package.json")) as { scripts: object }).scripts);

interface Shown {
  readonly where: string;
  readonly command: string;
}

/** One command each: lines that go on are joined, comments and what a pipe does with the output are left out. */
const commandsIn = (text: string): string[] =>
  text
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .flatMap((line) => line.replace(/(?:^|\s)#\s.*$/, "").split(/\s+&&\s+/))
    .map((command) => command.replace(/\s+[|>].*$/, "").trim())
    .filter((command) => command !== "");

const typed: readonly Shown[] = pages.flatMap((page) =>
  blocksIn(page, /sh/).flatMap(({ where, text }) => commandsIn(text).map((command) => ({ where, command }))),
);

/** Those in the middle of a sentence. */
const mentioned: readonly Shown[] = pages
  .filter((page) => page !== "CHANGELOG.md")
  .flatMap((page) =>
    [...textOf(page).matchAll(/(?<!`)`(matrix-appservice-sip(?: [^`]+)?)`(?!`)/g)].map(([, command = ""]) => ({
      where: page,
      command,
    })),
  );

const words = (command: string): string[] =>
  [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare ?? "");

const quiet = { env: {}, out: () => {}, err: () => {}, onSignal: () => {}, exit: () => {} };

/** What the program says against it; undefined if it takes it. */
function refusal(command: string): string | undefined {
  const [, ...given] = words(command);
  const argv = given.map((word) => (word === "URL" ? "http://localhost:9993" : word));
  let complaint = "";
  try {
    programOf({ ...quiet, err: (text) => void (complaint += text) }, () => {}).parse(argv, { from: "user" });
    return undefined;
  } catch (error) {
    if (error instanceof Error && "exitCode" in error && error.exitCode === 0) return undefined;
    return complaint || String(error);
  }
}

function fault(command: string): string | undefined {
  const [program = "", ...rest] = words(command);
  if (program === "matrix-appservice-sip") return refusal(command);
  if (program === "npm") {
    const [verb = "", name = ""] = rest;
    if (["ci", "pack", "install", "test"].includes(verb)) return undefined;
    return verb === "run" && scripts.includes(name) ? undefined : "there is no such script";
  }
  if (program.startsWith("./"))
    return existsSync(join(root, "deploy/compose", program)) ? undefined : "there is no such file";
  return OTHERS.includes(program) ? undefined : "it is no program that the docs know";
}

test.for(typed)("$where: $command", ({ command }) => {
  expect(fault(command)).toBeUndefined();
});

test("commands in sentences are ones that the program takes", () => {
  expect(mentioned.length).toBeGreaterThan(20);
  const wrong = mentioned.flatMap(({ where, command }) => {
    const said = refusal(command);
    return said === undefined ? [] : [{ where, command, said }];
  });
  expect(wrong).toEqual([]);
});

test("nothing is taken for a command that is none", () => {
  for (const command of ["matrix-appservice-sip init --trunck x", "matrix-appservice-sip call", "npm run nothing"])
    expect(fault(command), command).toBeDefined();
});
