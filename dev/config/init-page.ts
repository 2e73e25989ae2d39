// docs/init.md: how to set the bridge up, with the flags, presets and homeservers that `init` has.
import { Command } from "commander";
import { describeInit } from "../../src/cli/init/describe-init.ts";
import { trunkFlags } from "../../src/cli/init/flags.ts";
import { homeserverPresets, type HomeserverPreset } from "../../src/config/presets/homeservers.ts";
import { askKeys, type TrunkPreset } from "../../src/config/presets/preset.ts";
import { trunkPresets } from "../../src/config/presets/presets.ts";

const head = `# Set up with init

\`npm run generate\` makes this page from the source; do not edit it.

\`matrix-appservice-sip init\` asks which homeserver and which trunk you have, which numbers ring whom, and who may call. It writes
\`config.yaml\` and \`registration.yaml\`, and prints the lines to paste into the homeserver and the telephone system, and the commands
that come next.

- **It finds what it can by itself**: the homeserver on this machine, its server name, which program it is and what that needs,
  and the address of this machine that the trunk reaches.
- **Each answer is checked at once**, in the words of the configuration, which name the setting.
- **It overwrites nothing.** A registration that is there and fits is kept. If something fails, or you press Ctrl-C, nothing is left
  behind.
- **\`config.yaml\` holds what you chose**, each setting with its meaning. Everything else has its default; the
  [sample](../config/config.sample.yaml) shows all settings, [configuration.md](configuration.md) explains them.
- **Files are for you alone** (mode 0600). If root runs it and there is a group \`matrix-appservice-sip\`, as for
  [the systemd unit](../deploy/matrix-appservice-sip.service), they are for that group too (0640). Passwords stand in files of their
  own. The homeserver gets its own copy of the registration: \`init\` writes it if it may, and otherwise prints the command.

## Without questions

Every question has a flag. With \`--yes\`, or without a terminal, nothing is asked: what has neither a flag nor a default is an error
that names the flag. A password is in a file that \`--password-file\` names; a password that nobody gives you, because you choose it
yourself, is made up. Output that may end in a log names the file of a password, not the password.

\`\`\`sh
matrix-appservice-sip init --yes --country GB --trunk asterisk --server 192.0.2.20 \\
  --ring +442079460000=alice --ring 2002=alice,bob --allow @alice:example.org
\`\`\`
`;

const additions = `
## Add a trunk or numbers

Run \`init\` again beside a configuration, and it adds to it. Every line that is there stays as it is. It validates the result before
it replaces the file, in one step.

\`\`\`sh
matrix-appservice-sip init --trunk telnyx --route +1
matrix-appservice-sip init --yes --ring +442079460001=bob
\`\`\`

\`--route\` says how numbers begin that go out over the added trunk. Everything else goes where it went. Without it, the trunk only
brings calls.

## Who rings, who may call

\`--ring NUMBER=WHO\`: the number is one in any spelling, a block such as \`+4420794600XX\`, an extension, or \`*\` for every number that
has no entry of its own. Who is a user of your homeserver, several with commas between them, or the id of a room. The first number
that rings somebody is also the one that they call with, where the trunk lets the bridge choose.

\`--allow WHO\`: user ids or server names, with commas or spaces between them, or \`nobody\`. There is no default, because calls cost
money.
`;

export function initPage(): string {
  return [head, flagTable(), additions, trunkTable(), homeserverTable()].join("");
}

function flagTable(): string {
  const program = new Command();
  describeInit(program, { terminal: silent, files: () => ({ config: "", file: "" }), choose: () => {} });
  const rows = program.commands.flatMap(({ options }) =>
    options.map(({ flags, description }) => `| \`${flags}\` | ${description} |`),
  );
  return `\n| flag | meaning |\n|---|---|\n${rows.join("\n")}\n`;
}

const silent = { env: {}, out: () => {}, err: () => {}, onSignal: () => {}, exit: () => {} };

function trunkTable(): string {
  const rows = trunkPresets.map(
    (preset) =>
      `| [\`${preset.id}\`](trunks/${preset.id}.md) | ${preset.title} | ${asked(preset)} | ${basis(preset)} |`,
  );
  return `
## Presets of trunks

Each has a page of its own, with what to paste at the other end and what to do if it does not work. A preset that was not run follows
what its provider or users published: tell us what has to change. [Trunks](trunks/index.md) has more telephone systems.

| preset | trunk | asks | run with | published at |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

function asked({ asks }: TrunkPreset): string {
  const flags = askKeys.flatMap((key) => {
    const ask = asks[key];
    if (ask === undefined || ask.isMadeUp) return [];
    return [
      ask.default === undefined || ask.default.includes("%")
        ? trunkFlags[key].flag
        : `${trunkFlags[key].flag} (${ask.default})`,
    ];
  });
  return flags.map((flag) => `\`${flag}\``).join(", ");
}

function basis({ runWith, sources }: TrunkPreset): string {
  const links = sources.map(({ url, checked }) => `[${URL.parse(url)?.hostname ?? url}](${url}), ${checked}`);
  return `${runWith ?? "not run"} | ${links.join("; ")}`;
}

function homeserverTable(): string {
  const rows = homeserverPresets.map(
    (preset) =>
      `| [\`${preset.id}\`](homeservers/${preset.id}.md) | ${preset.encoding ?? "default"} | ${preset.hasDialPad ? "yes" : "no"} | ${handed(preset)} |`,
  );
  return `
## Homeservers

Each has [a page of its own](homeservers/index.md).

| homeserver | \`ghosts.encoding\` | dial pad | registration |
|---|---|---|---|
${rows.join("\n")}
`;
}

function handed({ handing }: HomeserverPreset): string {
  if (handing.kind === "command") return `\`${handing.command}\`, ${handing.where}`;
  return `a copy in \`${handing.folder}\` for the user \`${handing.user}\`, named in \`${handing.configuration}\``;
}
