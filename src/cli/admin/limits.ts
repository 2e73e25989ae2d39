// `limits`, `calls stop`, `calls start`, `calls allow`.
import type { Command } from "commander";
import type * as z from "zod";
import {
  allowed,
  heldList,
  limitUses,
  stopList,
  stopped,
  type limitUse,
  type stop,
} from "../../http/admin/wire/limits.ts";
import type { CommandShell, DescribeCommand } from "../command-shell.ts";
import { jsonOption, overAdminApi } from "./admin-command.ts";
import { json, moment, table } from "./print.ts";

type Scope = z.infer<typeof limitUse>["scope"];

interface StopOptions {
  readonly user?: string;
  readonly trunk?: string;
  readonly all?: true;
  readonly reason?: string;
}

export const describeLimits: DescribeCommand = (program, shell) => {
  const limits = program
    .command("limits")
    .description("Shows what is used of the limits of minutes and money, and which calls are stopped or held.")
    .option(...jsonOption);
  overAdminApi(limits, shell, async ({ bridge, isJson, out }) => {
    const [{ currency, uses }, { stops }, { held }] = await Promise.all([
      bridge.get("/limits/uses", limitUses),
      bridge.get("/stops", stopList),
      bridge.get("/holds", heldList),
    ]);
    if (isJson) return out(json({ currency, uses, stops, held }));
    for (const one of stops) out(`${stopText(one)}\n`);
    for (const one of held) out(`${heldText(one)}\n`);
    const rows = uses.map((one) => {
      const unit = one.measure === "money" ? currency : "min";
      return [
        nameOf(one.scope),
        one.span === "day" ? "today" : "this month",
        `${one.used} ${unit}`,
        one.limit === undefined ? "no limit" : `${one.limit} ${unit}`,
        one.limit === undefined ? "" : `${percent(one.used, one.limit)} %`,
      ];
    });
    out(
      table(
        ["WHOSE", "WHEN", "USED", "LIMIT", "OF IT"],
        rows,
        "no limits of minutes or money, and no calls this month",
      ),
    );
  });
};

export function describeStops(calls: Command, shell: CommandShell): void {
  const stopping = calls
    .command("stop")
    .description("Ends outgoing calls and lets none begin until `calls start`. Calls to emergency numbers go on.")
    .option("--user <user>", "only this person's calls")
    .option("--trunk <name>", "only calls over this trunk")
    .option("--all", "incoming calls too")
    .option("--reason <text>", "for the log");
  overAdminApi(stopping, shell, async ({ bridge, out }) => {
    const { user, trunk, all, reason } = stopping.opts<StopOptions>();
    const { ended } = await bridge.send("POST", "/stops", { user, trunk, all, reason }, stopped);
    out(`${whose(user, trunk, all)} stopped: ${ended} ended, none begin until \`calls start\`\n`);
  });
  const starting = calls
    .command("start")
    .description("Lets calls begin again that `calls stop` has stopped.")
    .option("--user <user>", "this person's calls")
    .option("--trunk <name>", "calls over this trunk");
  overAdminApi(starting, shell, async ({ bridge, out }) => {
    const { user, trunk } = starting.opts<StopOptions>();
    const { stops } = await bridge.send("POST", "/stops/remove", { user, trunk }, stopList);
    out(`${whose(user, trunk)} may begin again\n`);
    for (const one of stops) out(`still: ${stopText(one)}\n`);
  });
}

export function describeAllow(calls: Command, shell: CommandShell): void {
  const allowing = calls
    .command("allow")
    .description("Lets a person call again where their calls are held because they look like fraud.")
    .argument("<user>", "whose calls, such as @alice:example.org")
    .argument("[prefix]", "only to these numbers, as `limits` shows it");
  overAdminApi(allowing, shell, async ({ bridge, out }) => {
    const [user, prefix] = allowing.args;
    const done = await bridge.send("POST", "/holds/allow", { user, prefix }, allowed);
    for (const one of done.allowed) out(`${user} may call +${one}… again\n`);
    for (const one of done.held) out(`still: ${heldText(one)}\n`);
  });
}

function heldText({ person, prefix, why, at }: z.infer<typeof heldList>["held"][number]): string {
  return `calls of ${person} to +${prefix}… are held since ${moment(at)} UTC: ${why} (\`calls allow ${person} +${prefix}\` releases them)`;
}

function whose(user: string | undefined, trunk: string | undefined, all?: true): string {
  if (user !== undefined) return `calls of ${user}`;
  return trunk === undefined ? (all ? "all calls" : "outgoing calls") : `calls over ${trunk}`;
}

function stopText({ scope, inbound, who, why, at }: z.infer<typeof stop>): string {
  const what = scope.kind === "bridge" ? (inbound ? "all calls" : "outgoing calls") : `calls of ${nameOf(scope)}`;
  return `${what} are stopped since ${moment(at)} UTC by ${who}${why === "" ? "" : `: ${why}`}`;
}

function nameOf({ kind, name }: Scope): string {
  return kind === "bridge" ? "everybody" : kind === "user" ? name : `${kind} ${name}`;
}

function percent(used: string, limit: string): number {
  return Number(limit) === 0 ? 100 : Math.floor((Number(used) / Number(limit)) * 100);
}
