// `config reload`.
import { reloadReport } from "../../http/admin/wire/schemas.ts";
import type { DescribeCommand } from "../command-shell.ts";
import { exitCode } from "../exit-code.ts";
import { jsonOption, overAdminApi } from "./admin-command.ts";
import { CommandFailure } from "./connection.ts";
import { json } from "./print.ts";

export const describeConfigReload: DescribeCommand = (program, shell) => {
  const reload = program
    .command("config")
    .description("The configuration of the running bridge.")
    .command("reload")
    .description("Has the bridge read its configuration again; calls that are up go on.")
    .option(...jsonOption);
  overAdminApi(reload, shell, async ({ bridge, isJson, out }) => {
    const found = await bridge.send("POST", "/config/reload", undefined, reloadReport);
    if (isJson) out(json(found));
    if (found.result === "refused")
      throw new CommandFailure(exitCode.config, `not reloaded, nothing has changed:\n${found.problems.join("\n")}`);
    if (isJson) return;
    const { applied, waiting_for_restart: forRestart, waiting_for_last_call: forLastCall } = found;
    const lines = [
      ...listed("In force now:", applied),
      ...listed("Waiting for a restart:", forRestart),
      ...listed("Trunks that change when their last call has ended:", forLastCall),
    ];
    out(lines.length === 0 ? "nothing has changed\n" : `${lines.join("\n")}\n`);
  });
};

function listed(head: string, settings: readonly string[]): readonly string[] {
  return settings.length === 0 ? [] : [head, ...settings.map((setting) => `  ${setting}`)];
}
