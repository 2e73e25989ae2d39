// What a request asks, read and checked: its path, its query and its body. Everything in it is a stranger's until then.
import type { IncomingMessage } from "node:http";
import type * as z from "zod";
import { AdminError } from "./wire/admin-error.ts";
import type { Asked, Route } from "./routes/route.ts";

type AnyAsked = Asked<z.ZodObject, z.ZodObject, z.ZodType>;

const longestBody = 16_384;

export interface Found {
  readonly route: Route;
  /** The path's parts by their names, not checked yet. */
  readonly parts: Readonly<Record<string, string>>;
}

/** Throws AdminError where nothing is at the path, or not by that method. `path`: below /admin/v1. */
export function findRoute(method: string, path: string, routes: readonly Route[]): Found {
  const here = routes.flatMap((route) => {
    const parts = match(route.at, path);
    return parts === undefined ? [] : [{ route, parts }];
  });
  // A path without names in it goes before one with: /numbers/explain is not the number "explain".
  const found = here.find(({ route }) => route.method === method.toLowerCase());
  if (found !== undefined) return found;
  if (here.length === 0) throw new AdminError("not_found", "there is nothing at this path; see /admin/v1/openapi.json");
  const allow = here.map(({ route }) => route.method.toUpperCase()).join(", ");
  throw new AdminError("method_not_allowed", `this path takes ${allow}`, { headers: { allow } });
}

function match(at: string, path: string): Record<string, string> | undefined {
  const wanted = at.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const parts: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const here = given[index] ?? "";
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined && part !== here) return undefined;
    if (name !== undefined) parts[name] = decoded(here);
  }
  return parts;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new AdminError("bad_request", "the path has a % that does not begin an escaped character");
  }
}

/** Throws AdminError. */
export async function readAsked(
  { route, parts }: Found,
  query: URLSearchParams,
  request: IncomingMessage,
): Promise<AnyAsked> {
  const names = [...query.keys()];
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new AdminError("bad_request", `${twice} is given twice`, { field: twice });
  return {
    path: checked(route.path, parts),
    query: checked(route.query, Object.fromEntries(query)),
    body: route.body === undefined ? undefined : checked(route.body, await readBody(request)),
  };
}

function checked<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === "unrecognized_keys") {
    const [field = ""] = issue.keys;
    throw new AdminError("bad_request", `${field} is not known here`, { field });
  }
  const field = issue?.path.join(".") || undefined;
  const message =
    issue?.message.endsWith("received undefined") === true ? "is missing" : (issue?.message ?? "is wrong");
  throw new AdminError("bad_request", field === undefined ? message : `${field}: ${message}`, { field });
}

/** Undefined where there is none. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBody) {
      const message = `the body should have ${longestBody} bytes at most`;
      throw new AdminError("too_large", message, { headers: { connection: "close" } });
    }
    chunks.push(chunk);
  }
  if (length === 0) return undefined;
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new AdminError("unsupported_media_type", "the body should be application/json");
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw new AdminError("bad_request", "the body should be JSON in UTF-8");
  }
}
