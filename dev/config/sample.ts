// config.sample.yaml: every setting with its meaning. Required settings are active; the others are comments that show their
// defaults.
import { stringify } from "yaml";
import { commentLines } from "../../src/config/writing/comment.ts";
import { configJsonSchema, sectionOf, type SchemaNode } from "../../src/config/reading/reference.ts";

/** The smallest configuration that makes calls. */
export const minimalConfig = `homeserver:
  url: http://localhost:8008
  domain: example.org
ghosts:
  gateway: sip.example.org
dial_plan:
  country: GB
trunks:
  - name: main
    server: sip.example.org
permissions:
  example.org: call
`;

const head = `# Configuration of matrix-appservice-sip, made from the schema by "npm run generate".
# Lines that begin with "# " explain. Lines that begin with "#" alone are settings, shown with their default, or with an
# example if there is no default: remove the # to change one. Durations are in seconds.

`;

export function sampleConfig(): string {
  return head + renderSection(configJsonSchema(), "", true).join("\n").trimEnd() + "\n";
}

/** The lines of a section's keys. Where `active` is false every setting is commented out. */
function renderSection(section: SchemaNode, indent: string, active: boolean): string[] {
  const lines: string[] = [];
  for (const [key, node] of Object.entries(section.properties ?? {})) {
    const needed = active && (section.required?.includes(key) === true || key === "permissions");
    lines.push(...commentLines(node.description ?? "", indent), ...renderKey(key, node, indent, needed));
    if (indent === "") lines.push("");
  }
  return lines;
}

function renderKey(key: string, node: SchemaNode, indent: string, active: boolean): string[] {
  const inner = `${indent}  `;
  const examples = node.examples?.[0];
  // Where the keys of an entry exclude each other, several examples say more than one entry with all of them.
  if (node.items?.properties && Array.isArray(examples) && examples.length > 1) {
    return [...yamlLines({ [key]: examples }, indent, active), ...explained(node.items, "an entry", inner)];
  }
  if (node.properties) return [setting(`${key}:`, indent, active), ...renderSection(node, inner, active)];
  if (node.type === "array" && node.items?.properties) {
    return [setting(`${key}:`, indent, active), ...asItem(renderSection(node.items, `${inner}  `, active), inner)];
  }
  if (typeof node.additionalProperties === "object" && sectionOf(node.additionalProperties)?.properties) {
    const entry = sectionOf(node.additionalProperties) ?? {};
    return [...yamlLines({ [key]: valueOf(node) }, indent, active), ...explained(entry, "a permission", inner)];
  }
  return yamlLines({ [key]: valueOf(node) }, indent, active);
}

/** The keys of an entry as text, not as settings. */
function explained(entry: SchemaNode, what: string, indent: string): string[] {
  const keys = renderSection(entry, `${indent}  `, false).map((line) => line.replace(/#(?=\S)/, "# "));
  return [...commentLines(`Settings of ${what}:`, indent), ...keys];
}

/** What stands there now, or an example where that is nothing. */
function valueOf(node: SchemaNode): unknown {
  const isEmpty =
    node.default === undefined || (typeof node.default === "object" && Object.keys(node.default ?? {}).length === 0);
  return isEmpty ? (node.examples?.[0] ?? node.default) : node.default;
}

function yamlLines(value: unknown, indent: string, active: boolean): string[] {
  // Patterns, too: without its X, one would be a number to YAML.
  const text = stringify(value, { lineWidth: 0 })
    .trimEnd()
    .replaceAll(/(?<=(?:: |- ))\+\S+$/gm, '"$&"');
  return text.split("\n").map((line) => {
    const [lead = ""] = /^ */.exec(line) ?? [];
    return setting(line.slice(lead.length), indent + lead, active);
  });
}

function setting(text: string, indent: string, active: boolean): string {
  return active ? indent + text : `${indent}#${text}`;
}

/** Makes the first setting the beginning of a list item, and moves what explains it to the dash. */
function asItem(lines: readonly string[], indent: string): string[] {
  const first = lines.findIndex((line) => !/^ *# /.test(line));
  return lines.map((line, index) => {
    if (index < first) return line.slice(2);
    return index === first ? line.replace(/^ *(#?)/, (_, mark: string) => `${indent}${mark}- `) : line;
  });
}
