// What the package ships for running the bridge as a service, judged by systemd itself.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { minimalConfig } from "../../../dev/config/sample.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { adminSocketPlaces } from "../../../src/config/mapping/admin-mapping.ts";
import { exitCode } from "../../../src/cli/exit-code.ts";

const run = promisify(execFile);
const unit = resolve(import.meta.dirname, "../../../deploy/matrix-appservice-sip.service");
/** In tenths: above it `systemd-analyze` fails. */
const exposureLimit = "30";

const settings = async (key: string): Promise<readonly string[]> =>
  (await readFile(unit, "utf8")).split("\n").flatMap((line) => {
    const [name, value = ""] = line.split(/=(.*)/);
    return name === key ? [value] : [];
  });

describe("The systemd unit", () => {
  it("is understood by systemd, without a warning", async () => {
    const { stdout, stderr } = await run("systemd-analyze", ["verify", "--man=no", unit]).catch((error: unknown) => {
      throw new Error("the unit is refused", { cause: error });
    });
    // Whether the program is installed is not what is asked here.
    const said = `${stdout}${stderr}`.split("\n").filter((line) => line.includes("matrix-appservice-sip.service"));
    expect(said).toEqual([]);
  });

  it("exposes the machine to less than 3.0", async () => {
    const options = ["security", "--offline=true", `--threshold=${exposureLimit}`, "--no-pager", unit];
    const { stdout } = await run("systemd-analyze", options);
    const exposure = Number(/Overall exposure level for .*: ([\d.]+)/.exec(stdout)?.[1]);
    expect(exposure).toBeLessThan(3);
  });

  it("makes the folder in which commands look for the admin API's socket", async () => {
    const [folder = ""] = await settings("RuntimeDirectory");
    const config = parseConfig(minimalConfig, { configPath: "config.yaml", env: {} });
    expect(adminSocketPlaces(config, { configPath: "config.yaml", env: {} })).toContain(`/run/${folder}/admin.sock`);
    expect(await settings("RuntimeDirectoryMode")).toEqual(["0700"]);
  });

  it("does not restart a bridge whose command line or configuration is wrong, and gives up on one that keeps failing", async () => {
    expect(await settings("Restart")).toEqual(["on-failure"]);
    expect(await settings("RestartPreventExitStatus")).toEqual([`${exitCode.usage} ${exitCode.config}`]);
    // Its exit status would not count, and it would be started again for ever.
    expect(await settings("ExecStartPre")).toEqual([]);
    const [burst, seconds] = [await settings("StartLimitBurst"), await settings("RestartSec")].map(Number);
    // As many restarts as that have to fit into the five minutes.
    expect(await settings("StartLimitIntervalSec")).toEqual(["5min"]);
    expect((burst ?? 0) * (seconds ?? 0)).toBeLessThan(300);
  });
});
