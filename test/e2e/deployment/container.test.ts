// The Dockerfile as far as it goes without a container engine: its steps run in clean folders that stand for its stages,
// and its entrypoint runs from there.
import { execFile } from "node:child_process";
import { chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { cleanCopy, installLocked, ROOT } from "../parts/base/clean-copy.ts";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import type { RunningProcess } from "../parts/base/process.ts";
import { suiteRig } from "../parts/base/rig.ts";

interface Step {
  readonly verb: string;
  readonly rest: string;
}

const rig = suiteRig("container");
/** Who owns the volume; a user that is nobody's, where the tests may say so. */
const owner = process.getuid?.() === 0 ? 54_321 : (process.getuid?.() ?? 0);
let place: string;
let steps: readonly Step[];

async function readSteps(): Promise<readonly Step[]> {
  const text = (await readFile(join(ROOT, "Dockerfile"), "utf8")).replaceAll(/\\\n\s*/g, "");
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const [, verb = "", rest = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    return { verb, rest };
  });
}

const last = (verb: string): string => steps.findLast((step) => step.verb === verb)?.rest ?? "";
const listOf = (verb: string): readonly string[] => JSON.parse(last(verb)) as readonly string[];

async function run(name: string, command: string, cwd: string): Promise<void> {
  const env = { npm_config_prefer_offline: "true", npm_config_audit: "false", npm_config_fund: "false" };
  const running = await rig.start(name, { command: "bash", args: ["-c", command], cwd, env });
  const { code } = await running.exited;
  expect(code, `${command}\n${running.log.tail()}`).toBe(0);
}

/** Runs the stages one after the other; each has a folder that stands for its root. Gives the last one's. */
async function build(): Promise<string> {
  const context = join(place, "context");
  await cleanCopy(context);
  const ignored = (await readFile(join(ROOT, ".dockerignore"), "utf8")).trim().split("\n");
  const stages = new Map<string, string>();
  let root = "";
  let cwd = "";
  for (const { verb, rest } of steps) {
    if (verb === "FROM") {
      const name = / AS (\w+)$/.exec(rest)?.[1] ?? "last";
      root = join(place, name);
      stages.set(name, root);
    } else if (verb === "WORKDIR") {
      cwd = join(root, rest);
      await mkdir(cwd, { recursive: true });
    } else if (verb === "COPY") {
      const words = rest.split(" ");
      const stage = /^--from=(\w+)$/.exec(words[0] ?? "")?.[1];
      const sources = words.slice(stage === undefined ? 0 : 1, -1);
      const target = join(cwd, words.at(-1) ?? "");
      for (const source of sources) {
        if (stage === undefined) expect(ignored, "it is kept out of the build").not.toContain(source.split("/")[0]);
        const from = join(stage === undefined ? context : (stages.get(stage) ?? ""), source);
        const to = words.at(-1) === "./" ? join(target, basename(source)) : target;
        // Linked: a copy of all packages would take longer than the rest.
        await promisify(execFile)("cp", ["-alT", from, to]);
      }
    } else if (verb === "RUN" && rest === "npm ci") {
      await installLocked(cwd);
    } else if (verb === "RUN") {
      await run("build", rest.replaceAll("/data", join(root, "data")).replaceAll("node:node", `${owner}`), cwd);
    }
  }
  return root;
}

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "container-"));
  rig.defer("the folders", () => rm(place, { recursive: true, force: true }));
  // Everybody may look into it, as into the root of a machine.
  await run("open", `chmod 755 ${place}`, place);
  steps = await readSteps();
}, 20_000);

describe("The container", () => {
  it("is built by its steps, and the bridge runs as the owner of its volume", { timeout: 400_000 }, async () => {
    const root = await build();
    const volume = join(root, last("VOLUME"));
    expect(last("WORKDIR")).toBe(last("VOLUME"));
    expect((await stat(volume)).uid).toBe(owner);
    const [entrypoint = ""] = listOf("ENTRYPOINT");
    const inRoot = (text: string): string => text.replaceAll(/(?<=^|[\s"(])\/(?=app\b|data\b)/g, `${root}/`);
    const script = join(root, entrypoint);
    await writeFile(script, inRoot(await readFile(script, "utf8")));
    const start = (...args: readonly string[]): Promise<RunningProcess> =>
      rig.start("container", {
        command: script,
        args,
        cwd: volume,
        env: { PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`, NODE_ENV: "production" },
        stopWithinMs: 15_000,
      });

    const files = listOf("CMD").map(inRoot);
    const lost = await start(...files);
    expect(await lost.exited).toMatchObject({ code: 3 });
    expect(lost.log.text).toContain("there is no such file");

    const config = {
      homeserver: { url: `http://127.0.0.1:${await freePort()}`, domain: "example.org" },
      ghosts: { gateway: "sip.example.org" },
      dial_plan: { country: "GB" },
      trunks: [{ name: "main", server: `127.0.0.1:${await freePort()}` }],
      permissions: { "example.org": "call" },
      appservice: { listen: { port: 0 } },
      http: { listen: { port: 0 } },
    };
    const configFile = join(volume, "config.yaml");
    await writeFile(configFile, stringify(config), { mode: 0o600 });
    await chown(configFile, owner, owner);
    const writing = await start("-r", "-u", "http://127.0.0.1:9993", ...files);
    expect((await writing.exited).code, writing.log.tail()).toBe(0);
    const bridge = await start(...files);
    await bridge.saying(/"bridge is up"/);
    const status = await readFile(`/proc/${bridge.pid}/status`, "utf8");
    expect(/^Uid:\t(\d+)\t(\d+)/m.exec(status)?.slice(1)).toEqual([`${owner}`, `${owner}`]);
    expect((await stat(join(volume, "matrix-appservice-sip.db"))).uid).toBe(owner);
    expect(await bridge.stop()).toEqual({ code: 0, signal: null });

    if (process.getuid?.() !== 0) return;
    await chown(volume, 0, 0);
    const refused = await start(...files);
    expect(await refused.exited).toMatchObject({ code: 3 });
    expect(refused.log.text).toContain("belongs to root: chown it");
  });
});
