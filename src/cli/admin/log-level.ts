// `log level [LEVEL]`.
import { logSetting } from "../../http/admin/wire/schemas.ts";
import type { DescribeCommand } from "../command-shell.ts";
import { overAdminApi } from "./admin-command.ts";

export const describeLogLevel: DescribeCommand = (program, shell) => {
  const level = program
    .command("log")
    .description("The log of the running bridge.")
    .command("level")
    .description("Shows the level of the log, or sets it until the bridge is started again.")
    .argument("[level]", "trace, debug, info, warn or error");
  overAdminApi(level, shell, async ({ bridge, out }, [wanted]) => {
    const found =
      wanted === undefined
        ? await bridge.get("/log/level", logSetting)
        : await bridge.send("PUT", "/log/level", { level: wanted }, logSetting);
    out(`${found.level}\n`);
  });
};
