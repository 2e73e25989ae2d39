// `numbers`: whom called numbers ring.
import { numberList } from "../../http/admin/wire/schemas.ts";
import type { DescribeCommand } from "../command-shell.ts";
import { jsonOption, overAdminApi } from "./admin-command.ts";
import { json, table } from "./print.ts";

export const describeNumbers: DescribeCommand = (program, shell) => {
  const numbers = program
    .command("numbers")
    .description("Lists whom called numbers ring.")
    .option(...jsonOption);
  overAdminApi(numbers, shell, async ({ bridge, isJson, out }) => {
    const found = await bridge.get("/numbers", numberList);
    if (isJson) return out(json(found));
    const rows = found.numbers.map(({ match, number, trunks, stages }) => [
      match === "prefix" ? `${number}*` : number,
      trunks.join(", ") || "all",
      stages
        .map(({ people, rooms, ring_seconds: seconds }) => `${[...people, ...rooms].join(", ")} (${seconds} s)`)
        .join(", then "),
    ]);
    out(table(["NUMBER", "TRUNKS", "RINGS"], rows, "no numbers: nobody can be called (inbound.numbers)"));
  });
};
