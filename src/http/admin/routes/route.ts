// One thing that the admin API can be asked. The server answers from the list of these, and the OpenAPI document is made of it.
import * as z from "zod";
import type { AdminDoor } from "../../../ports/admin/admin-door.ts";
import type { Session } from "../access/sessions.ts";
import type { Visitor } from "../access/entrance.ts";
import { AdminError, type ErrorCode } from "../wire/admin-error.ts";
import type { LoginOrder } from "../wire/session.ts";

/** What routes work with. */
export interface Tools {
  readonly door: AdminDoor;
  readonly version: string;
  readonly startedAtMs: number;
  /** Whether whole numbers may be had. */
  readonly wholeNumbers: boolean;
}

/** Throws AdminError where whole numbers are wanted and may not be had. */
export function wholeIfAllowed(wanted: boolean, { wholeNumbers }: Tools): boolean {
  if (!wanted || wholeNumbers) return wanted;
  const message = "whole telephone numbers are not shown here: admin.whole_numbers allows it";
  throw new AdminError("forbidden", message, { field: "whole_numbers" });
}

/** Who asks. */
export interface Visit extends Visitor {
  /** Throws AdminError. Undefined where there is no console. */
  readonly logIn: ((order: LoginOrder) => Promise<Session>) | undefined;
}

type Fields = z.ZodObject;

export interface Asked<Path extends Fields, Query extends Fields, Body extends z.ZodType> {
  readonly path: z.output<Path>;
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
}

export interface RouteDefinition<
  Path extends Fields,
  Query extends Fields,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> {
  readonly method: "get" | "post" | "put" | "delete";
  /** Below /admin/v1, with the names of the path's parts in braces. */
  readonly at: string;
  /** Its name in the OpenAPI document. */
  readonly operation: string;
  readonly summary: string;
  readonly path?: Path;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer: Answer;
  /** 202: what was asked for has begun. */
  readonly status?: 200 | 202;
  /** Besides those that any request may get. */
  readonly errors?: readonly ErrorCode[];
  /** What the log of admins' actions calls it; undefined: it changes nothing. */
  readonly action?: string;
  /** What that log says besides. */
  readonly detail?: (asked: Asked<Path, Query, Body>, tools: Tools) => string | undefined;
  readonly handle: (
    asked: Asked<Path, Query, Body>,
    tools: Tools,
    visit: Visit,
  ) => z.input<Answer> | Promise<z.input<Answer>>;
}

export interface Route extends Required<
  Pick<RouteDefinition<Fields, Fields, z.ZodType, z.ZodType>, "method" | "at" | "operation" | "summary" | "errors">
> {
  readonly path: Fields;
  readonly query: Fields;
  readonly body: z.ZodType | undefined;
  readonly answer: z.ZodType;
  readonly status: 200 | 202;
  readonly action: string | undefined;
  readonly detail: (asked: Asked<Fields, Fields, z.ZodType>, tools: Tools) => string | undefined;
  readonly handle: (asked: Asked<Fields, Fields, z.ZodType>, tools: Tools, visit: Visit) => unknown;
}

const nothing = z.strictObject({});

/** The types of a route's input and answer fit each other here, and nobody needs them any more outside. */
export function route<
  Answer extends z.ZodType,
  Path extends Fields = typeof nothing,
  Query extends Fields = typeof nothing,
  Body extends z.ZodType = typeof nothing,
>(definition: RouteDefinition<Path, Query, Body, Answer>): Route {
  const { path, query, body, status, errors, action, detail, handle, ...rest } = definition;
  return {
    ...rest,
    path: path ?? nothing,
    query: query ?? nothing,
    body,
    status: status ?? 200,
    errors: errors ?? [],
    action,
    detail: (asked, tools) => detail?.(asked, tools),
    handle: (asked, tools, visit) => handle(asked, tools, visit),
  };
}
