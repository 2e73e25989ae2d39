// docs/configuration.md: the reference of all settings, made from the schema.
import { minimalConfig } from "./sample.ts";
import { configJsonSchema, sectionOf, type Reload, type SchemaNode } from "../../src/config/reading/reference.ts";

const intro = `# Configuration

\`npm run generate\` makes this page from the schema; do not edit it. Start with [init](init.md), or from
[config.sample.yaml](../config/config.sample.yaml), which contains every setting. If you add this line at the top of your
file, your editor checks it and completes settings:
\`# yaml-language-server: $schema=config/config.schema.json\`.

The smallest configuration that makes calls:

\`\`\`yaml
${minimalConfig}\`\`\`

## Rules of the file

- **It is strict.** The bridge does not start with an unknown setting or a wrong value. It lists every error with its line,
  its path and what belongs there; for a misspelt setting, it suggests the right one. To check your files without starting
  the bridge, run \`matrix-appservice-sip --check -c config.yaml -f registration.yaml\`.
- **Durations** are whole seconds. The names of such settings end in \`_seconds\`.
- **Telephone numbers** need quotes, because YAML reads \`+44\` as the number 44.
- **Passwords and keys** do not have to be in the file. Each has a second setting that ends in \`_file\` and takes a path,
  relative to the configuration file; one line break at the end of that file is ignored. Or use an environment variable,
  which overrides both: \`MATRIX_SIP_TRUNK_<NAME>_PASSWORD\`, \`MATRIX_SIP_TRUNK_<NAME>_TLS_KEY\`,
  \`MATRIX_SIP_CHALLENGE_<NAME>_PASSWORD\`, where \`<NAME>\` is the trunk's name in capitals with \`_\` for other
  characters, \`MATRIX_SIP_ICE_<N>_CREDENTIAL\` for the N-th ICE server, \`MATRIX_SIP_DATABASE_PASSWORD\` and
  \`MATRIX_SIP_ADMIN_TOKEN\`. Error messages never repeat a value.
- **A setting without a value** counts as absent.

## How to receive calls

The trunk must be able to reach the bridge: either the bridge registers (\`trunks[].registration\`), or it listens on a fixed
port that the trunk knows (\`trunks[].listen.port\`). The called number needs an entry:

\`\`\`yaml
inbound:
  numbers:
    - number: "+441632960123" # one number that rings one person
      user: "@alice:example.org"
    - number: "2002" # an extension that rings two people at once
      users: ["@bob:example.org", "@carol:example.org"]
    - pattern: "+4416329602XX" # a block of numbers that rings one person, then another
      in_turn:
        - users: ["@alice:example.org"]
          ring_seconds: 20
        - users: ["@bob:example.org"]
    - prefix: "" # every other number rings in a room
      room: "!office:example.org"
\`\`\`

Spelling does not matter: in Britain, \`+441632960123\`, \`01632 960123\`, \`00441632960123\` and \`441632960123\` are the same
number, both in this list and in what the trunk sends. The most specific entry wins, wherever it is in the list: an exact
number before a pattern, a pattern before a prefix, a longer prefix before a shorter one. Of two equal entries, the first one
for the call's trunk wins.

## The command line

\`\`\`
matrix-appservice-sip init                                               ask, and write both files
matrix-appservice-sip -r -u URL -c config.yaml -f registration.yaml      write the registration
matrix-appservice-sip --check -c config.yaml -f registration.yaml        check both files and this machine
matrix-appservice-sip doctor -c config.yaml -f registration.yaml         look at every link, see doctor.md
matrix-appservice-sip -c config.yaml -f registration.yaml [-p PORT]      run the bridge
matrix-appservice-sip number explain TEXT -c config.yaml                 explain what happens to a number
matrix-appservice-sip database copy FILE -c config.yaml                  move a SQLite file to PostgreSQL
matrix-appservice-sip calls | trunks | numbers | users | export calls | log level | config reload -c config.yaml
                                                                         ask the running bridge: docs/admin.md
\`\`\`

[init.md](init.md) has the flags of \`init\`. \`-r\` updates an existing registration and keeps its tokens. SIGTERM and SIGINT
[stop the bridge](operation.md#stopping), SIGHUP has it [read this file again](operation.md#reloading-the-configuration).
[operation.md](operation.md) lists the exit codes and explains
\`number explain\` and \`database copy\`.
`;

export function configurationHandbook(): string {
  const root = configJsonSchema();
  const chapters = Object.entries(root.properties ?? {}).flatMap(([key, node]) => {
    const required = root.required?.includes(key) === true ? " Required." : "";
    const about = `${node.description ?? ""}${required} ${reloadWords[node.reload ?? "restart"]}`;
    return chapter({ heading: `## ${key}`, about, path: key, node });
  });
  return `${intro}\n${chapters.join("\n")}`;
}

/** Of a chapter; a setting that differs says so itself. */
const reloadWords: Readonly<Record<Reload, string>> = {
  now: "A [reload](operation.md#reloading-the-configuration) applies changes.",
  restart: "Changes need a restart.",
};
const exceptionWords: Readonly<Record<Reload, string>> = {
  now: " A reload applies changes.",
  restart: " Changes need a restart.",
};

interface Chapter {
  readonly heading: string;
  readonly about: string;
  /** From the top of the file. */
  readonly path: string;
  readonly node: SchemaNode;
}

/** The text of a section, and after it those of the larger sections in it. */
function chapter({ heading, about, path, node }: Chapter): string[] {
  const entry = node.items?.properties ? node.items : node;
  const own = node.items?.properties ? `${path}[]` : path;
  const { rows, larger } = rowsOf(entry, own, "", true);
  const table = `| setting | value | default | meaning |\n|---|---|---|---|\n${rows.join("\n")}\n`;
  return [`${heading}\n\n${about}\n\n${table}`, ...larger.flatMap(chapter)];
}

/** Sections with more settings than this have a table of their own. */
const fewSettings = 2;

/** Rows of the settings in a section. `isRequired` is false within what may be left out as a whole. */
function rowsOf(
  node: SchemaNode,
  own: string,
  prefix: string,
  isRequired: boolean,
): { rows: string[]; larger: Chapter[] } {
  if (typeof node.additionalProperties === "object") {
    const entry = node.additionalProperties;
    const below = rowsOf(sectionOf(entry) ?? {}, own, "<name>.", false);
    return { rows: [`| \`<name>\` | ${kindOf(entry)} | | |`, ...below.rows], larger: below.larger };
  }
  const rows: string[] = [];
  const larger: Chapter[] = [];
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const path = `${own}.${prefix}${key}`;
    const needsIt = node.required?.includes(key) === true;
    const section = child.properties ? child : child.items?.properties && child.items;
    const hasOwnTable = section !== undefined && Object.keys(section.properties ?? {}).length > fewSettings;
    const value = hasOwnTable ? linkTo(child, path) : kindOf(child) + unitOf(key, child);
    rows.push(
      `| \`${prefix}${key}\` | ${value} | ${defaultOf(child, needsIt, isRequired)} | ${cell(child.description ?? "")}${child.reload === undefined ? "" : exceptionWords[child.reload]} |`,
    );
    if (hasOwnTable) {
      larger.push({ heading: `### ${nameOf(child, path)}`, about: aboutOf(child), path, node: child });
    } else if (section !== undefined) {
      const below = rowsOf(
        section,
        own,
        `${prefix}${key}${child.items ? "[]" : ""}.`,
        needsIt || child.items !== undefined,
      );
      rows.push(...below.rows);
      larger.push(...below.larger);
    }
  }
  return { rows, larger };
}

/** The row that leads to a list says what the list is for. */
function aboutOf(node: SchemaNode): string {
  return node.items ? "Settings of each entry:" : (node.description ?? "");
}

function nameOf(node: SchemaNode, path: string): string {
  return node.items ? `${path}[]` : path;
}

/** As GitHub makes the anchor of a heading: without what is neither letter, digit, hyphen nor underscore. */
function linkTo(node: SchemaNode, path: string): string {
  const anchor = path.replaceAll(/[^a-z0-9_-]/g, "");
  return `[${node.items ? "list of sections" : "section"}](#${anchor})`;
}

function unitOf(key: string, node: SchemaNode): string {
  const unit = /_(seconds|days|characters)$/.exec(key)?.[1];
  return unit === undefined || node.type !== "integer" ? "" : ` ${unit}`;
}

function kindOf(node: SchemaNode): string {
  if (node.anyOf) return node.anyOf.map(kindOf).join(" or ");
  if (node.enum && node.enum.length > 20) return "text";
  if (node.enum) return node.enum.map((value) => `\`${value}\``).join(", ");
  if (node.type === "array") return node.items?.properties ? "list of sections" : `list of ${kindOf(node.items ?? {})}`;
  if (node.properties) return "section";
  if (node.type === "object") return "map";
  if (node.type === "integer") return `${node.minimum ?? ""} to ${node.maximum ?? ""}`;
  if (node.type === "boolean") return "`true`, `false`";
  return "text";
}

function defaultOf(node: SchemaNode, isNeeded: boolean, inNeeded: boolean): string {
  if (isNeeded) return inNeeded ? "**required**" : "required in this section";
  if (node.properties !== undefined || node.default === undefined) return "";
  return `\`${JSON.stringify(node.default)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/<([A-Z]+)>/g, "&lt;$1&gt;");
}
