// `users`: whom permissions name and whom numbers ring, and what they may.
import { userList } from "../../http/admin/wire/schemas.ts";
import type { DescribeCommand } from "../command-shell.ts";
import { jsonOption, overAdminApi } from "./admin-command.ts";
import { duration, json, table } from "./print.ts";

export const describeUsers: DescribeCommand = (program, shell) => {
  const users = program
    .command("users")
    .description("Lists whom permissions name and whom numbers ring, and what they may.")
    .option(...jsonOption);
  overAdminApi(users, shell, async ({ bridge, isJson, out }) => {
    const found = await bridge.get("/users", userList);
    if (isJson) return out(json(found));
    const rows = found.users.map((one) => [
      one.subject,
      one.may_call ? ["call", ...one.allow].join(", ") : "nothing",
      one.calls === undefined ? `up to ${one.calls_at_once}` : `${one.calls} of ${one.calls_at_once}`,
      duration(one.max_duration_seconds * 1000),
      one.rule ?? "none",
      one.rung_by.join(", ") || "-",
    ]);
    const heads = ["WHO", "MAY", "CALLS", "LONGEST", "BY", "RUNG BY"];
    out(table(heads, rows, "nobody: permissions and inbound.numbers name no one"));
  });
};
