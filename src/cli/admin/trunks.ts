// `trunks`, `trunks pause NAME`, `trunks resume NAME`.
import { trunk } from "../../http/admin/wire/bridge.ts";
import { trunkList } from "../../http/admin/wire/schemas.ts";
import type { DescribeCommand } from "../command-shell.ts";
import { describeTrunkLadder } from "../ladder/commands.ts";
import { jsonOption, overAdminApi } from "./admin-command.ts";
import { json, moment, table } from "./print.ts";

export const describeTrunks: DescribeCommand = (program, shell) => {
  const trunks = program
    .command("trunks")
    .description("Lists the trunks, how they are and since when.")
    .option(...jsonOption);
  overAdminApi(trunks, shell, async ({ bridge, isJson, out }) => {
    const found = await bridge.get("/trunks", trunkList);
    if (isJson) return out(json(found));
    const rows = found.trunks.map((one) => [
      one.name,
      one.paused ? `${one.state}, paused` : one.state,
      String(one.calls),
      moment(one.since),
      one.detail,
    ]);
    out(table(["TRUNK", "STATE", "CALLS", "SINCE (UTC)", "DETAIL"], rows, "no trunks"));
  });

  describeTrunkLadder(trunks, shell);

  const verbs = {
    pause: ["Begins no more calls over a trunk; those that are up go on.", "is paused: no calls begin over it"],
    resume: ["Begins calls over a trunk again.", "takes calls again"],
  } as const;
  for (const verb of ["pause", "resume"] as const) {
    const [about, done] = verbs[verb];
    const command = trunks.command(verb).description(about).argument("<name>");
    overAdminApi(command, shell, async ({ bridge, out }, [name = ""]) => {
      const found = await bridge.send("POST", `/trunks/${encodeURIComponent(name)}/${verb}`, undefined, trunk);
      out(`${found.name} ${done}\n`);
    });
  }
};
