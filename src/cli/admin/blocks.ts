// `blocks`, `blocks add CALLERS`, `blocks remove CALLERS`: the block list.
import { block, blockList } from "../../http/admin/wire/blocks.ts";
import type { DescribeCommand } from "../command-shell.ts";
import { jsonOption, overAdminApi } from "./admin-command.ts";
import { json, moment, table } from "./print.ts";

interface BlockOptions {
  readonly for?: string;
  readonly response?: string;
}

const forOption = ["--for <user>", "for this Matrix user alone (default: for everybody)"] as const;
const callersArgument = [
  "<callers>",
  'a number in any spelling, its beginning with * behind it ("+4490*"), a SIP address, or anonymous',
] as const;

export const describeBlocks: DescribeCommand = (program, shell) => {
  const blocks = program
    .command("blocks")
    .description("Lists whose calls and texts reach nobody, or not one person.")
    .option("--whole-numbers", "people's own entries without asterisks, if admin.whole_numbers lets you")
    .option(...jsonOption);
  overAdminApi(blocks, shell, async ({ bridge, isJson, out }) => {
    const isWhole = blocks.opts<{ wholeNumbers?: true }>().wholeNumbers === true;
    const found = await bridge.get(`/blocks${isWhole ? "?whole_numbers=true" : ""}`, blockList);
    if (isJson) return out(json(found));
    const rows = found.blocks.map((one) => [
      one.callers,
      one.person ?? "everybody",
      one.response ?? "as configured",
      one.by,
      moment(one.at),
    ]);
    out(table(["CALLERS", "FOR", "HEAR", "BY", "SINCE (UTC)"], rows, "nobody is blocked"));
  });

  const add = blocks
    .command("add")
    .description("Blocks callers. Calls to a number that is blocked for everybody are refused too.")
    .argument(...callersArgument)
    .option(...forOption)
    .option("--response <response>", "what they hear: decline, unwanted, busy or unavailable");
  overAdminApi(add, shell, async ({ bridge, out }, [callers = ""]) => {
    const { for: person, response } = add.opts<BlockOptions>();
    const added = await bridge.send("POST", "/blocks", { callers, person, response }, block);
    out(`${added.callers} is blocked for ${added.person ?? "everybody"}\n`);
  });

  const remove = blocks
    .command("remove")
    .description("Takes callers off the list.")
    .argument(...callersArgument)
    .option(...forOption);
  overAdminApi(remove, shell, async ({ bridge, out }, [callers = ""]) => {
    const { for: person } = remove.opts<BlockOptions>();
    const removed = await bridge.send("POST", "/blocks/remove", { callers, person }, block);
    out(`${removed.callers} is no longer blocked for ${removed.person ?? "everybody"}\n`);
  });
};
