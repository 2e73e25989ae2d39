// `calls`, `calls show ID`, `calls hangup ID`: the calls of the moment.
import * as z from "zod";
import { systemClock } from "../../clock/system-clock.ts";
import { call } from "../../http/admin/wire/calls.ts";
import { callList } from "../../http/admin/wire/schemas.ts";
import type { DescribeCommand } from "../command-shell.ts";
import { describeCallLadder } from "../ladder/commands.ts";
import { jsonOption, overAdminApi } from "./admin-command.ts";
import { describeAllow, describeStops } from "./limits.ts";
import { duration, json, list, moment, table } from "./print.ts";

type Call = z.infer<typeof call>;

export const describeCalls: DescribeCommand = (program, shell) => {
  const calls = program
    .command("calls")
    .description("Lists the calls of the moment.")
    .option(...jsonOption);
  overAdminApi(calls, shell, async ({ bridge, isJson, out }) => {
    const found = await bridge.get("/calls", callList);
    out(isJson ? json(found) : callTable(found.calls));
  });

  const show = calls
    .command("show")
    .description("Shows one call, with its audio.")
    .argument("<id>")
    .option(...jsonOption);
  overAdminApi(show, shell, async ({ bridge, isJson, out }, [id = ""]) => {
    const found = await bridge.get(`/calls/${encodeURIComponent(id)}`, call);
    out(isJson ? json(found) : details(found));
  });

  describeCallLadder(calls, shell);

  describeStops(calls, shell);
  describeAllow(calls, shell);

  const hangUp = calls
    .command("hangup")
    .description("Ends a call on both sides. People read that an administrator did.")
    .argument("<id>")
    .option("--reason <text>", "for the log");
  overAdminApi(hangUp, shell, async ({ bridge, out }, [id = ""]) => {
    const { reason } = hangUp.opts<{ reason?: string }>();
    const path = `/calls/${encodeURIComponent(id)}/hangup`;
    const ended = await bridge.send("POST", path, { reason }, z.object({ id: z.string() }));
    out(`${ended.id} ends\n`);
  });
};

function since(time: string): string {
  return duration(systemClock.wallMs() - Date.parse(time));
}

function callTable(calls: readonly Call[]): string {
  const rows = calls.map((one) => [
    one.id,
    one.direction,
    one.person ?? "-",
    one.number,
    one.trunk ?? "-",
    one.phase,
    since(one.since),
  ]);
  return table(["CALL", "DIRECTION", "PERSON", "NUMBER", "TRUNK", "PHASE", "FOR"], rows, "no calls");
}

function details(one: Call): string {
  const { media } = one;
  return list([
    ["Call", one.id],
    ["Direction", one.direction],
    ["Person", one.person],
    ["Room", one.room],
    ["Number", one.number],
    ["Called", one.called],
    ["Trunk", one.trunk],
    ["Phase", `${one.phase}, for ${since(one.since)}`],
    ["Began", `${moment(one.started_at)} UTC`],
    ["Answered", one.answered_at && `${moment(one.answered_at)} UTC`],
    ["Codec", media && (media.converted ? `${media.converted.matrix} / ${media.converted.trunk}` : media.codec)],
    ["From Matrix", media && heard(media.from_matrix)],
    ["From trunk", media && heard(media.from_trunk)],
  ]);
}

function heard({ packets, lost, jitter_ms: jitter }: NonNullable<Call["media"]>["from_matrix"]): string {
  return `${packets} packets, ${lost} lost, ${jitter} ms jitter`;
}
