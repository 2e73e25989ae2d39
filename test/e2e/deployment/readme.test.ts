// The README's deployment, followed to the letter in a clean folder, by an admin whose Synapse is running already. What it
// installs is what npm hands out: the packed tarball, in a place that has nothing else.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { startGateway } from "../../../dev/gateway/gateway.ts";
import { cleanCopy, installLocked, ROOT } from "../parts/base/clean-copy.ts";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import type { RunningProcess } from "../parts/base/process.ts";
import { type Rig, suiteRig, testRig } from "../parts/base/rig.ts";
import { startSynapse } from "../parts/homeservers/synapse.ts";
import { until } from "../parts/base/until.ts";

/** Of the sample configuration. */
const SYNAPSE_PORT = 8008;
const DOMAIN = "example.org";

const installing = suiteRig("readme");
let place: string;
/** Those of the README that follow the installation. */
let commands: readonly string[];

/** Every command of the section, in order. */
async function commandsOf(section: string): Promise<readonly string[]> {
  const [, text = ""] = (await readFile(join(ROOT, "README.md"), "utf8")).split(`\n## ${section}\n`);
  const [own = ""] = text.split("\n## ");
  return [...own.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) => block.trim().split("\n"));
}

/** A shell in `folder`, in which `npm install -g` installs for these tests alone. */
function shellIn(rig: Rig, folder: string) {
  const prefix = join(place, "prefix");
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

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "deployed-"));
  installing.defer("the clean folder", () => rm(place, { recursive: true, force: true }));
  const folder = join(place, "clone");
  await cleanCopy(folder);
  const [install = "", ...others] = await commandsOf("Deploy it with Synapse");
  commands = others;
  const [first, ...rest] = install.split(" && ");
  expect(first).toBe("npm ci");
  await installLocked(folder);
  await shellIn(installing, folder).run(rest.join(" && "));
}, 300_000);

it("installs what helps, writes a registration and runs, though there is no homeserver yet", async () => {
  const folder = join(place, "empty");
  await mkdir(folder);
  const shell = shellIn(testRig(), folder);
  expect(await shell.run("matrix-appservice-sip --help")).toContain("--generate-registration");
  const port = await freePort();
  const config = {
    homeserver: { url: `http://127.0.0.1:${await freePort()}`, domain: "example.org" },
    appservice: { listen: { host: "127.0.0.1" } },
    ghosts: { gateway: "sip.example.org" },
    dial_plan: { country: "GB" },
    trunks: [{ name: "main", server: `127.0.0.1:${await freePort()}`, transport: "udp" }],
    permissions: { "example.org": "call" },
    http: { listen: { port: 0 } },
  };
  await writeFile(join(folder, "config.yaml"), stringify(config));
  const files = "-c config.yaml -f registration.yaml";
  await shell.run(`matrix-appservice-sip -r -u http://127.0.0.1:${port} ${files}`);
  const bridge = await shell.start(`matrix-appservice-sip ${files} -p ${port}`);
  await bridge.saying(/"bridge is up"/);
  expect((await fetch(`http://127.0.0.1:${port}/_matrix/app/v1/ping`, { method: "POST" })).status).toBe(401);
  expect(await bridge.stop()).toEqual({ code: 0, signal: null });
});

it(
  "ends with a bridge whose numbers people find, though Synapse did not know it at first",
  { timeout: 200_000 },
  async () => {
    const rig = testRig();
    const folder = join(place, "clone");
    const gateway = await startGateway();
    rig.defer("gateway", () => gateway.stop());
    let synapse = await startSynapse(rig, { port: SYNAPSE_PORT, serverName: DOMAIN });
    const ann = await synapse.register("ann");

    const [init = "", check = "", start = "", restart = "", ready = "", ...rest] = commands;
    expect(rest).toEqual([]);
    const shell = shellIn(rig, folder);
    expect(init).toBe("matrix-appservice-sip init");
    const answers = [
      `--homeserver synapse --homeserver-url http://localhost:${SYNAPSE_PORT} --domain ${DOMAIN} --country GB`,
      `--trunk address --server ${gateway.host}:${gateway.port} --ring +441818118181=ann --allow ${DOMAIN}`,
    ];
    const said = await shell.run(`${init} --yes ${answers.join(" ")}`);
    expect(said).toContain("In homeserver.yaml:");

    const checked = await shell.run(check);
    expect(checked.match(/: good$/gm)).toHaveLength(2);
    expect(checked).not.toContain("warning:");

    const bridge = await shell.start(start);
    await bridge.saying(/homeserver does not know the bridge: add the registration file/);

    expect(restart).toBe("systemctl restart matrix-synapse");
    await synapse.stop();
    const registration = join(folder, "registration.yaml");
    synapse = await startSynapse(rig, { port: SYNAPSE_PORT, serverName: DOMAIN, registrations: [registration] });
    await bridge.saying(/"homeserver accepts the bridge"/);
    await until("the homeserver to be ready", async () =>
      (await shell.run(ready)).includes('"homeserver":{"ready":true'),
    );
    expect(bridge.running).toBe(true);

    const asAnn = (path: string) => synapse.request("GET", `/_matrix/client/v3/${path}`, { token: ann.accessToken });
    expect(Object.keys(await asAnn("thirdparty/protocols"))).toContain("m.protocol.pstn");
    expect(await asAnn("thirdparty/user/m.protocol.pstn?m.id.phone=02079460440")).toMatchObject([
      { userid: `@_sip_+442079460440%40sip.example.org:${DOMAIN}` },
    ]);
  },
);
