// The schema seen as a tree of keys, by way of its JSON schema: for error messages, the sample and the reference.
import * as z from "zod";
import { configSchema } from "../schema/schema.ts";

/** With the reload of the file, or with the next start. */
export type Reload = "now" | "restart";

/** The part of JSON Schema that the configuration uses. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
  /** When a change of it takes effect in a running bridge; undefined: as of the section around it. */
  readonly reload?: Reload;
}

/** What a file has to look like: draft 2020-12, before defaults are filled in. */
export function configJsonSchema(): SchemaNode & Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(configSchema, { io: "input" });
  return {
    $schema,
    title: "Configuration of matrix-appservice-sip",
    ...rest,
  } as SchemaNode & Readonly<Record<string, unknown>>;
}

/** The node at a path of keys and indices; of a union, the branch that is a section. */
export function nodeAt(path: readonly (string | number)[], root: SchemaNode): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  for (const part of path) {
    const here: SchemaNode | undefined = sectionOf(node);
    if (typeof part === "number") node = here?.items;
    else
      node =
        here?.properties?.[part] ??
        (typeof here?.additionalProperties === "object" ? here.additionalProperties : undefined);
  }
  return sectionOf(node);
}

/** Of a union, the branch that is a section. */
export function sectionOf(node: SchemaNode | undefined): SchemaNode | undefined {
  return node?.anyOf?.find((branch) => branch.properties) ?? node;
}
