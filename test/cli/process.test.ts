// The program as a process: what only a real one can show.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

function run(nodeFlags: readonly string[], argv: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...nodeFlags, main, ...argv], { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** A module that is loaded first and makes Node look older. */
function pretend(version: string): string {
  return `data:text/javascript,Object.defineProperty(process.versions,"node",{value:"${version}"})`;
}

test.each(["18.20.8", "20.19.0", "22.11.0"])("Node %s is told in one line that it is too old", (version) => {
  expect(run(["--import", pretend(version)], ["--version"])).toEqual({
    status: 1,
    stdout: "",
    stderr: `matrix-appservice-sip needs Node 22.14 or newer; this is Node ${version}\n`,
  });
});

test.each(["22.14.0", "24.0.0"])("Node %s is new enough", (version) => {
  expect(run(["--import", pretend(version)], ["--version"])).toMatchObject({ status: 0, stderr: "" });
});

test("wrong flags and wrong files end it with their exit codes", () => {
  expect(run([], ["--nonsense"]).status).toBe(2);
  const missing = run([], ["-c", "/nowhere/config.yaml"]);
  expect(missing).toEqual({
    status: 3,
    stdout: "",
    stderr: "/nowhere/config.yaml: cannot be read: there is no such file\n",
  });
});
