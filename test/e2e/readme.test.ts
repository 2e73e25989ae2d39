// The README's deployment, followed to the letter in a clean folder, by an admin whose Synapse is running already.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { expect, it } from "vitest";
import { startGateway } from "../../dev/gateway/gateway.ts";
import { cleanCopy, ROOT } from "./parts/clean-copy.ts";
import type { RunningProcess } from "./parts/process.ts";
import { type Rig, testRig } from "./parts/rig.ts";
import { startSynapse } from "./parts/synapse.ts";
import { until } from "./parts/until.ts";

/** Of the sample configuration. */
const SYNAPSE_PORT = 8008;
const DOMAIN = "example.org";

/** Every command of the section, in order. */
async function commandsOf(section: string): Promise<readonly string[]> {
  const [, text = ""] = (await readFile(join(ROOT, "README.md"), "utf8")).split(`\n## ${section}\n`);
  const [own = ""] = text.split("\n## ");
  return [...own.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) => block.trim().split("\n"));
}

/** A shell in the clean folder, in which `npm install -g` installs for this test alone. */
function shellIn(rig: Rig, folder: string) {
  const prefix = join(folder, "..", "prefix");
  const env = {
    PATH: [join(prefix, "bin"), dirname(process.execPath), process.env["PATH"]].join(delimiter),
    npm_config_prefix: prefix,
    npm_config_prefer_offline: "true",
    npm_config_audit: "false",
    npm_config_fund: "false",
  };
  const start = (command: string): Promise<RunningProcess> =>
    rig.start("shell", { command: "bash", args: ["-c", `exec ${command}`], cwd: folder, env, stopWithinMs: 15_000 });
  return {
    start,
    async run(command: string): Promise<string> {
      const running = await rig.start("shell", { command: "bash", args: ["-c", command], cwd: folder, env });
      const { code } = await running.exited;
      expect(code, `${command}\n${running.log.tail()}`).toBe(0);
      return running.log.text;
    },
  };
}

it(
  "ends with a bridge whose numbers people find, though Synapse did not know it at first",
  { timeout: 400_000 },
  async () => {
    const rig = testRig();
    const place = await mkdtemp(join(tmpdir(), "deployed-"));
    rig.defer("the clean folder", () => rm(place, { recursive: true, force: true }));
    const folder = join(place, "clone");
    await cleanCopy(folder);
    const gateway = await startGateway();
    rig.defer("gateway", () => gateway.stop());
    let synapse = await startSynapse(rig, { port: SYNAPSE_PORT, serverName: DOMAIN });
    const ann = await synapse.register("ann");

    const [install = "", copy = "", register = "", check = "", start = "", restart = "", ready = "", ...rest] =
      await commandsOf("Deploy it with Synapse");
    expect(rest).toEqual([]);
    const shell = shellIn(rig, folder);
    await shell.run(install);
    await shell.run(copy);
    // "Edit config.yaml": the sample is for this homeserver already, and only the trunk is another one.
    const configFile = join(folder, "config.yaml");
    const sample = await readFile(configFile, "utf8");
    const edited = sample.replace(/^( {4}server:) .*$/m, `$1 ${gateway.host}:${gateway.port}`);
    expect(edited).not.toBe(sample);
    await writeFile(configFile, edited);

    await shell.run(register);
    const checked = await shell.run(check);
    expect(checked.match(/: good$/gm)).toHaveLength(2);
    expect(checked).not.toContain("warning:");

    const bridge = await shell.start(start);
    await bridge.saying(/homeserver does not know the bridge: add the registration file/, { timeoutMs: 30_000 });

    expect(restart).toBe("systemctl restart matrix-synapse");
    await synapse.stop();
    const registration = join(folder, "registration.yaml");
    synapse = await startSynapse(rig, { port: SYNAPSE_PORT, serverName: DOMAIN, registrations: [registration] });
    await bridge.saying(/"homeserver accepts the bridge"/, { timeoutMs: 30_000 });
    await until("the homeserver to be ready", async () =>
      (await shell.run(ready)).includes('"homeserver":{"ready":true'),
    );
    expect(bridge.running).toBe(true);

    const asAnn = (path: string) => synapse.request("GET", `/_matrix/client/v3/${path}`, { token: ann.accessToken });
    expect(Object.keys(await asAnn("thirdparty/protocols"))).toContain("m.protocol.pstn");
    expect(await asAnn("thirdparty/user/m.protocol.pstn?m.id.phone=01818118181")).toMatchObject([
      { userid: `@_sip_01818118181%40sip.example.org:${DOMAIN}` },
    ]);
  },
);
