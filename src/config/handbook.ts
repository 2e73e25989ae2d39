// docs/configuration.md: the reference of all keys, made from the schema.
import { minimalConfig } from "./sample.ts";
import { configJsonSchema, sectionOf, type SchemaNode } from "./reference.ts";

const intro = `# Configuration

Made from the schema by \`npm run generate\`; do not edit. [config.sample.yaml](../config/config.sample.yaml) holds all of
it as a file to start from, and [config.schema.json](../config/config.schema.json) lets an editor check and complete it:
begin your file with \`# yaml-language-server: $schema=config/config.schema.json\`.

The smallest configuration that makes calls:

\`\`\`yaml
${minimalConfig}\`\`\`

- **Strict.** An unknown key or a wrong value stops the start with its line, its path, what it should be and, for a
  mistyped key, the one that was probably meant. All errors are shown at once: first those of single keys and, when
  there are none, what does not fit together.
  \`matrix-appservice-sip --check -c config.yaml -f registration.yaml\` says whether both files are good.
- **Durations** are whole seconds, and their keys end in \`_seconds\`.
- **Telephone numbers** want quotes, because YAML takes \`+44\` for forty-four.
- **Secrets** need not stand in the file. Each has a second key ending in \`_file\` with a path (relative to the
  configuration; one line end at its end is dropped), and passwords and keys can come from the environment, which goes
  before both: \`MATRIX_SIP_TRUNK_<NAME>_PASSWORD\`, \`MATRIX_SIP_TRUNK_<NAME>_TLS_KEY\` and
  \`MATRIX_SIP_CHALLENGE_<NAME>_PASSWORD\` for the trunk of that name (in capitals, other characters as \`_\`),
  \`MATRIX_SIP_ICE_<N>_CREDENTIAL\` for the N-th ICE server. No message ever repeats a value.
- **A key without a value** counts as not given.

## Calls from the telephone network

They need a trunk that can reach the bridge (\`registration\`, or a fixed \`listen.port\` that the trunk knows) and an entry
for the number that is called:

\`\`\`yaml
inbound:
  numbers:
    - number: "+441632960123" # one number, one person
      user: "@alice:example.org"
    - number: "2002" # an extension that rings two people at once
      users: ["@bob:example.org", "@carol:example.org"]
    - pattern: "+4416329602XX" # a block of numbers that rings one person and then another
      in_turn:
        - users: ["@alice:example.org"]
          ring_seconds: 20
        - users: ["@bob:example.org"]
    - prefix: "" # everything else rings in a room
      room: "!office:example.org"
\`\`\`

Numbers are compared as numbers: \`+441632960123\`, \`01632 960123\`, \`00441632960123\` and \`441632960123\` are one in Britain,
in the list and from the trunk. The most specific entry counts, wherever it stands: an exact number before a pattern, that
before a prefix, a long prefix before a short one; of two alike the first whose \`trunks\` has the trunk of the call.

## The command line

\`\`\`
matrix-appservice-sip -r -u URL -c config.yaml -f registration.yaml      writes the registration
matrix-appservice-sip -c config.yaml -f registration.yaml [-p PORT]      runs
matrix-appservice-sip --check -c config.yaml -f registration.yaml        checks both files
\`\`\`

\`-r\` over an existing registration brings it up to date and keeps its tokens. SIGTERM, SIGINT and SIGHUP end all calls
and stop; a second one ends the process at once.

| exit code | meaning |
|---|---|
| 0 | done, or stopped as asked |
| 1 | a fault: an uncaught error, a stop that took too long, a Node that is too old |
| 2 | the command line is wrong |
| 3 | the configuration or the registration is wrong |
| 4 | something outside refused: a port in use, a database that cannot be opened, the homeserver |

A service manager need not restart after 2 and 3 (systemd: \`RestartPreventExitStatus=2 3\`).
`;

export function configurationHandbook(): string {
  const root = configJsonSchema();
  const chapters = Object.entries(root.properties ?? {}).map(([key, node]) => {
    const needed = root.required?.includes(key) === true ? " Needed." : "";
    const rows = rowsOf(node, "", true);
    return `## ${key}\n\n${node.description ?? ""}${needed}\n\n| key | value | default | meaning |\n|---|---|---|---|\n${rows.join("\n")}\n`;
  });
  return `${intro}\n${chapters.join("\n")}`;
}

/** Rows of the keys below a node; `needed` is false inside of what may be left out as a whole. */
function rowsOf(node: SchemaNode, prefix: string, needed: boolean): string[] {
  if (node.items?.properties) return rowsOf(node.items, `${prefix}[].`, true);
  if (typeof node.additionalProperties === "object") {
    const entry = node.additionalProperties;
    return [`| \`<name>\` | ${kindOf(entry)} | | |`, ...rowsOf(sectionOf(entry) ?? {}, "<name>.", false)];
  }
  const rows: string[] = [];
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const path = prefix + key;
    const isNeeded = node.required?.includes(key) === true;
    const meaning = cell(child.description ?? "");
    rows.push(`| \`${path}\` | ${kindOf(child)} | ${defaultOf(child, isNeeded, needed)} | ${meaning} |`);
    if (child.properties) rows.push(...rowsOf(child, `${path}.`, isNeeded));
    else if (child.items?.properties) rows.push(...rowsOf(child, path, isNeeded));
  }
  return rows;
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
  if (isNeeded) return inNeeded ? "**needed**" : "needed, if the section is there";
  if (node.properties !== undefined || node.default === undefined) return "";
  return `\`${JSON.stringify(node.default)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/<([A-Z]+)>/g, "&lt;$1&gt;");
}
