// docs/trunks/ID.md: a page for each preset, with the lines that `init` writes and asks to paste, from the preset itself.
import { askKeys, type AskKey, type TrunkPreset } from "../../src/config/presets/preset.ts";
import { fillLines, fillText } from "../../src/config/presets/fill.ts";
import { homeserverPresets } from "../../src/config/presets/homeservers.ts";
import { trunkPresets } from "../../src/config/presets/presets.ts";
import { splitHostPort } from "../../src/config/schema/scalars.ts";
import { draftConfig } from "../../src/config/setup/draft.ts";
import { commentedFile } from "../../src/config/writing/commented.ts";
import { trunkFlags } from "../../src/cli/init/flags.ts";
import { trunkNotes } from "./trunk-notes.ts";

const number = "+442079460000";
const who = "@alice:example.org";

/** What the examples have answered. Addresses are of RFC 5737, names of RFC 2606. */
const usual: Readonly<Record<AskKey, string>> = {
  server: "sip.provider.example",
  username: "442079460000",
  password: "",
  number,
  address: "192.0.2.10",
  port: "5062",
  public_address: "203.0.113.10",
};

const own: Readonly<Record<string, Partial<Record<AskKey, string>>>> = {
  asterisk: { server: "192.0.2.20" },
  freeswitch: { server: "192.0.2.20:5080" },
  freepbx: { server: "192.0.2.20" },
  twilio: { server: "example.pstn.twilio.com", username: "bridge" },
  telnyx: { username: "bridge" },
  sipgate: { username: "1234567t0" },
  voipms: { server: "atlanta.voip.ms", username: "123456_matrix" },
  address: { server: "192.0.2.20", public_address: "" },
};

export function trunkPages(): readonly (readonly [path: string, content: string])[] {
  return trunkPresets.map((preset) => [`docs/trunks/${preset.id}.md`, trunkPage(preset)]);
}

/** The name of a preset as a heading: some presets are titled as an answer to a question. */
function headingOf({ id, title }: TrunkPreset): string {
  if (id === "register") return "An account that registers";
  if (id === "address") return "A trunk by address";
  return title;
}

function trunkPage(preset: TrunkPreset): string {
  const notes = trunkNotes[preset.id];
  if (notes === undefined) throw new Error(`dev/docs/trunk-notes.ts says nothing about ${preset.id}`);
  const answers = answersOf(preset);
  return `# ${headingOf(preset)}

${notes.how}

${tried(preset)}

## What you need

${notes.needs.map((need) => `- ${need}`).join("\n")}

## Set it up

1. If the bridge is not set up yet, begin with the [quick start](../quick-start.md), and choose \`${preset.id}\` when it asks for the trunk.
   Beside a configuration, this adds the trunk:

   \`\`\`sh
   matrix-appservice-sip init --trunk ${preset.id}
   \`\`\`

   It asks for these, and checks each answer at once:

${asksTable(preset, answers)}

2. Paste what it prints. With the answers above, that is:

${pastes(preset, answers)}

3. Start the bridge, or restart it if it runs, and see whether the trunk is up:

   \`\`\`sh
   matrix-appservice-sip trunks -c config.yaml
   \`\`\`

   The line of \`${preset.id}\` says \`up\`. Then call somebody: first out, from the dial pad or with \`call NUMBER\` to the bot; then in, from a
   mobile telephone.

## What is written

These are the lines of \`config.yaml\` for this trunk. \`init\` writes each with a comment.

\`\`\`yaml
${configLines(preset, answers)}
\`\`\`

[Configuration](../configuration.md#trunks) explains each setting.

## If it does not work

| what you see | what to do |
|---|---|
${notes.problems.map(([symptom, mend]) => `| ${symptom} | ${mend} |`).join("\n")}

[SIP in detail](sip.md) says what the bridge sends and accepts.${notes.more === undefined ? "" : ` ${notes.more}`}

## Where this is from

\`npm run generate\` makes this page from the preset and from \`dev/docs/trunk-notes.ts\`; do not edit it.

${preset.sources.map(({ url, checked }) => `- <${url}>, read on ${checked}`).join("\n")}
`;
}

function answersOf({ id, asks }: TrunkPreset): Record<string, string> {
  const answers: Record<string, string> = { name: id };
  for (const key of askKeys) {
    const ask = asks[key];
    if (ask === undefined) continue;
    answers[key] = own[id]?.[key] ?? (ask.default === undefined ? usual[key] : fillText(ask.default, answers));
  }
  const { host = "", port } = splitHostPort(answers["server"] ?? "") ?? {};
  Object.assign(answers, { host, server_port: String(port ?? 5060) });
  if (asks.password !== undefined)
    Object.assign(answers, { password: `${id}-password`, secret: `THE CONTENT OF ${id}-password` });
  return answers;
}

function tried({ runWith, sources }: TrunkPreset): string {
  if (runWith !== undefined) return `**Tried** with ${runWith}.`;
  const [{ checked }] = sources;
  return `**Not tried yet.** No call has been made with this preset. It follows [what is published](#where-this-is-from), as of ${checked}. Tell us what\nhas to change, or that it works.`;
}

function asksTable({ asks }: TrunkPreset, answers: Readonly<Record<string, string>>): string {
  const rows = askKeys.flatMap((key) => {
    const ask = asks[key];
    if (ask === undefined) return [];
    const { flag } = trunkFlags[key];
    const words = ask.question ?? defaultWords[key];
    const example = key === "password" ? (ask.isMadeUp ? "made up for you" : "typed, and not shown") : answers[key];
    return [`   | \`${flag}\` | ${words} | ${example ? code(key, example) : "empty"} |`];
  });
  return ["   | flag | question | for example |", "   |---|---|---|", ...rows].join("\n");
}

const code = (key: AskKey, text: string): string => (key === "password" ? text : `\`${text}\``);

const defaultWords: Readonly<Record<AskKey, string>> = {
  server: "Where is it? Its address, with :port if that is not the usual one.",
  username: "What is the user name of the account?",
  password: "What is the password of the account?",
  number: "Which number do calls show?",
  address: "Which address of this machine does it reach?",
  port: "Which port of this machine does it reach?",
  public_address: "Which public address does it reach?",
};

function pastes({ paste }: TrunkPreset, answers: Readonly<Record<string, string>>): string {
  return paste
    .map(({ where, lines }) => {
      const filled = fillLines(lines, answers, [number]);
      return [
        `   ${fillText(where, answers)}`,
        "",
        "   ```text",
        ...filled.map((line) => `   ${line}`.trimEnd()),
        "   ```",
      ];
    })
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

function configLines(preset: TrunkPreset, answers: Readonly<Record<string, string>>): string {
  const [homeserver] = homeserverPresets;
  if (homeserver === undefined) throw new Error("there is no preset of a homeserver");
  const { trunks, inbound, media } = draftConfig({
    homeserver: { preset: homeserver, url: "http://localhost:8008", domain: "example.org", appserviceUrl: "" },
    country: "GB",
    trunk: { preset, name: preset.id, answers },
    rings: [{ called: number, who: [who] }],
    allow: who,
    joinForPeople: false,
  });
  const lines = commentedFile("", { trunks, inbound, media }).split("\n");
  return lines.filter((line) => line !== "" && !/^ *#/.test(line)).join("\n");
}
