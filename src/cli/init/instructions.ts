// What is left to do elsewhere: lines to paste, commands to run.
import { fillLines, fillText } from "../../config/presets/fill.ts";
import type { HomeserverPreset } from "../../config/presets/homeservers.ts";
import type { AskedTrunk } from "./ask-trunk.ts";

interface Step {
  readonly title: string;
  readonly lines: readonly string[];
}

export interface Registrations {
  /** Where the homeserver finds them; more than one with join_for_people. */
  readonly paths: readonly string[];
  /** What puts them there, as far as it is not done. */
  readonly commands: readonly string[];
}

export interface CommandPaths {
  readonly config: string;
  readonly file: string;
}

export function formatSteps(steps: readonly Step[]): string {
  return steps
    .map(
      ({ title, lines }, index) =>
        `${index + 1}. ${title}\n${lines.map((line) => `   ${line}`.trimEnd()).join("\n")}\n`,
    )
    .join("\n");
}

export function homeserverSteps({ title, handing, limits }: HomeserverPreset, registrations: Registrations): Step[] {
  const raise = limits && {
    title: `In ${limits.configuration}, so that people who call do not meet limits that are meant for chat:`,
    lines: limits.lines,
  };
  if (handing.kind === "command") {
    const lines = registrations.paths.flatMap((path) => [handing.command, "```", `(the content of ${path})`, "```"]);
    return [{ title: `Send this ${handing.where} of ${title}:`, lines }];
  }
  const paths = registrations.paths.join('", "');
  const copy = { title: `Give ${title} its copy of the registration:`, lines: registrations.commands };
  return [
    ...(registrations.commands.length > 0 ? [copy] : []),
    { title: `In ${handing.configuration}:`, lines: handing.lines.map((line) => fillText(line, { path: paths })) },
    ...(raise ? [raise] : []),
  ];
}

/** `showsSecret`: where somebody reads it, and no log keeps it. */
export function trunkSteps(
  { preset, answers, newSecret }: AskedTrunk,
  called: readonly string[],
  showsSecret: boolean,
): Step[] {
  const secret = showsSecret || newSecret === undefined ? answers["secret"] : `THE CONTENT OF ${newSecret.path}`;
  const filled = { ...answers, secret: secret ?? "" };
  return preset.paste.flatMap(({ where, lines }) => {
    const own = fillLines(lines, filled, called);
    return own.length === 0 ? [] : [{ title: fillText(where, filled), lines: own }];
  });
}

export function checkStep({ config, file }: CommandPaths): Step {
  return { title: "Check the files:", lines: [`matrix-appservice-sip --check -c ${config} -f ${file}`] };
}

export function startSteps({ config, file }: CommandPaths, { title, handing }: HomeserverPreset): Step[] {
  const start = { title: "Start the bridge:", lines: [`matrix-appservice-sip -c ${config} -f ${file}`] };
  if (handing.kind === "command") return [start];
  return [start, { title: `While it runs, restart ${title}:`, lines: [handing.restart] }];
}

export function callStep({ hasDialPad }: HomeserverPreset, domain: string): Step {
  const byBot = `send "call NUMBER" to @_sip_bot:${domain}`;
  return { title: "Call:", lines: [hasDialPad ? `dial a number in Element Web, or ${byBot}` : byBot] };
}
