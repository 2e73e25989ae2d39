// The OpenAPI document of the admin API, made of its routes and schemas.
import * as z from "zod";
import { errorStatus, type ErrorCode } from "./wire/admin-error.ts";
import type { Route } from "./routes/route.ts";
import { components } from "./wire/schemas.ts";
import { parameters } from "./wire/scalars.ts";

export const base = "/admin/v1";

type Json = Readonly<Record<string, unknown>>;

const refTo = (id: string): string => `#/components/schemas/${id}`;
const json = (schema: Json): Json => ({ content: { "application/json": { schema } } });
const error: Json = { $ref: refTo("Error") };

const errorWords: Readonly<Record<ErrorCode, string>> = {
  bad_request: "Something in the request is wrong; `field` says what",
  unauthorized: "The token is missing or wrong",
  forbidden: "Not allowed here",
  not_found: "There is no such thing",
  method_not_allowed: "The path takes another method",
  too_large: "The body is too large",
  unsupported_media_type: "The body is not JSON",
  unprocessable: "What was given has the right form, and means nothing here",
  too_many_requests: "Too many wrong tokens, or too many streams",
  internal: "A defect; the log has more",
  unavailable: "The store cannot be asked now",
};

export function openApiDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes)
    paths[base + route.at] = { ...paths[base + route.at], [route.method]: operationOf(route) };
  paths[`${base}/events`] = { get: eventsOperation };
  paths[`${base}/openapi.json`] = { get: documentOperation };
  return {
    openapi: "3.1.0",
    info: {
      title: "Admin API of matrix-appservice-sip",
      version: "1",
      description:
        "Over the Unix socket nothing is asked for; over the port the token is. Telephone numbers are masked as in the log unless the configuration shows them. Times are in UTC.",
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
    paths,
    components: { schemas: componentSchemas(), securitySchemes: { token: { type: "http", scheme: "bearer" } } },
  };
}

function componentSchemas(): Json {
  const { schemas } = z.toJSONSchema(components, { uri: refTo });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutIds(schema)]));
}

/** In a document of many schemas, each is known by its place. */
function withoutIds(schema: Json): Json {
  const ids = ["$schema", "$id", "~standard"];
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !ids.includes(key)));
}

function operationOf(route: Route): Json {
  const usual: readonly ErrorCode[] = ["bad_request", "unauthorized", "forbidden", "too_many_requests", "internal"];
  const ofBody: readonly ErrorCode[] = route.body === undefined ? [] : ["too_large", "unsupported_media_type"];
  const fields = [...fieldsOf(route.path, "path"), ...fieldsOf(route.query, "query")];
  return {
    operationId: route.operation,
    summary: route.summary,
    ...(fields.length === 0 ? {} : { parameters: fields }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: { required: isNeeded(route.body), ...json(schemaOf(route.body, "input")) },
        }),
    responses: {
      [route.status]: { description: "As asked", ...json(schemaOf(route.answer, "output")) },
      ...errorResponses([...new Set([...usual, ...ofBody, ...route.errors])]),
    },
  };
}

function errorResponses(codes: readonly ErrorCode[]): Json {
  return Object.fromEntries(
    codes.map((code) => [errorStatus[code], { description: errorWords[code], ...json(error) }]),
  );
}

function* fieldsOf({ shape }: z.ZodObject, place: "path" | "query"): Generator<Json> {
  for (const [name, field] of Object.entries(shape)) {
    const { description, ...schema } = parameterOf(field);
    yield {
      name,
      in: place,
      required: place === "path" || isNeeded(field),
      ...(description ? { description } : {}),
      schema,
    };
  }
}

function parameterOf(field: z.ZodType): Json {
  const description = z.globalRegistry.get(field)?.description;
  const inner = field instanceof z.ZodOptional ? (field.unwrap() as z.ZodType) : field;
  const known = parameters.get(inner)?.schema ?? parameters.get(field)?.schema;
  return { ...(known ?? schemaOf(inner, "input")), ...(description === undefined ? {} : { description }) };
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const id = components.get(schema)?.id;
  if (id !== undefined) return { $ref: refTo(id) };
  return withoutIds(z.toJSONSchema(schema, { io }));
}

function isNeeded(schema: z.ZodType): boolean {
  return !schema.safeParse(undefined).success;
}

const eventsOperation: Json = {
  operationId: "streamEvents",
  summary: "What happens from now on, as Server-Sent Events; `data` of each is an Event in one line",
  parameters: [
    {
      name: "measured",
      in: "query",
      required: false,
      description: "Whether it has call.measured: how good the audio of each call is, every 5 s",
      schema: { type: "boolean", default: false },
    },
  ],
  responses: {
    200: {
      description: "The stream, without an end",
      content: { "text/event-stream": { schema: { type: "string" } } },
    },
    ...errorResponses(["bad_request", "unauthorized", "forbidden", "too_many_requests", "internal"]),
  },
};

const documentOperation: Json = {
  operationId: "getDocument",
  summary: "This document",
  responses: {
    200: { description: "As asked", ...json({ type: "object" }) },
    ...errorResponses(["unauthorized", "forbidden", "too_many_requests", "internal"]),
  },
};
