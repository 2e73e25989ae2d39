// The third-party routes (application service API, "Third-party networks"), for what the bridge says. Not the library's: all
// of its layers stand before each, and they cost more than the answer.
import type { ApplicationServiceQueries } from "../../ports/homeserver.ts";
import type { QueryFields } from "./query-string.ts";

export interface ThirdPartyAnswer {
  readonly status: number;
  readonly body: unknown;
  /** It is given when this has resolved; undefined: at once. */
  readonly after?: Promise<void> | undefined;
}

const routePath =
  /^\/_matrix\/app\/(?:v1|unstable)\/thirdparty\/(?:(protocol|user|location)\/([^/]+)|(user|location))$/;

const unknownProtocol = failure(404, "M_NOT_FOUND", "Unknown protocol");

/** The answer to a GET; undefined where the path is none of these routes. `fields` hold no token. */
export function thirdPartyAnswer(
  queries: ApplicationServiceQueries,
  path: string,
  fields: QueryFields,
): ThirdPartyAnswer | undefined {
  const route = routePath.exec(path);
  if (route === null) return undefined;
  const [, kind, name = "", reverse] = route;
  if (kind !== undefined) {
    const protocol = decoded(name);
    if (protocol === undefined) return failure(400, "M_INVALID_PARAM", "Bad escape in the protocol's name");
    return kind === "user" ? ofFields(queries, protocol, fields) : found(ofProtocol(queries, kind, protocol));
  }
  return reverse === "user" ? ofUser(queries, fields["userid"]) : ofAlias(fields["alias"]);
}

function ofFields(queries: ApplicationServiceQueries, protocol: string, fields: QueryFields): ThirdPartyAnswer {
  const users = queries.usersByField(protocol, fields);
  const [first] = users ?? [];
  return { ...found(users), after: first && queries.lookupDelay(first.userid) };
}

/** undefined: nobody here speaks that protocol. */
function ofProtocol(queries: ApplicationServiceQueries, kind: string, protocol: string): unknown {
  const description = queries.protocol(protocol);
  // Telephones have no rooms of their own to be found.
  return description !== undefined && kind === "location" ? [] : description;
}

function ofUser(queries: ApplicationServiceQueries, user: QueryFields[string] | undefined): ThirdPartyAnswer {
  return typeof user === "string" ? found(queries.usersById(user)) : missing("userid");
}

function ofAlias(alias: QueryFields[string] | undefined): ThirdPartyAnswer {
  return typeof alias === "string" ? found([]) : missing("alias");
}

function found(body: unknown): ThirdPartyAnswer {
  return body === undefined ? unknownProtocol : { status: 200, body };
}

function missing(field: string): ThirdPartyAnswer {
  return failure(400, "M_MISSING_PARAM", `One ${field} is needed`);
}

function failure(status: number, errcode: string, error: string): ThirdPartyAnswer {
  return { status, body: { errcode, error } };
}

function decoded(name: string): string | undefined {
  try {
    return name.includes("%") ? decodeURIComponent(name) : name;
  } catch {
    return undefined;
  }
}
