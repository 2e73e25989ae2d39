// The commands over the admin API, in the order of `--help`.
import type { DescribeCommand } from "../command-shell.ts";
import { describeBlocks } from "./blocks.ts";
import { describeCalls } from "./calls.ts";
import { describeConfigReload } from "./config-reload.ts";
import { describeExportCalls } from "./export-calls.ts";
import { describeLogLevel } from "./log-level.ts";
import { describeLimits } from "./limits.ts";
import { describeNumbers } from "./numbers.ts";
import { describeTrunks } from "./trunks.ts";
import { describeUsers } from "./users.ts";

export const adminCommands: readonly DescribeCommand[] = [
  describeCalls,
  describeTrunks,
  describeNumbers,
  describeUsers,
  describeLimits,
  describeBlocks,
  describeExportCalls,
  describeLogLevel,
  describeConfigReload,
];
