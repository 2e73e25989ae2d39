// Which handler answers a request. Paths are matched segment by segment and decoded once
// after the match, since an id may hold an encoded slash or an encoded percent sign.
import type { Requester } from "./authentication.ts";
import type { JsonObject } from "./json.ts";
import { MatrixError, invalidParam } from "./matrix-error.ts";

export type Method = "GET" | "PUT" | "POST" | "DELETE";

export type RequestFacts = {
  readonly method: string;
  /** The path as it came, percent-encoding untouched. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  /** An empty object where the request had no body. */
  readonly body: JsonObject;
  /** Fires when the client has gone away or the server stops. */
  readonly gone: AbortSignal;
};

export type Call = RequestFacts & {
  /** The decoded value of a `{name}` in the route's path. */
  param(name: string): string;
};

export type Answer = object;
export type OpenHandler = (call: Call) => Answer | Promise<Answer>;
export type Handler = (call: Call, requester: Requester) => Answer | Promise<Answer>;

type Route = {
  readonly method: Method;
  readonly segments: readonly string[];
  readonly handle: OpenHandler;
};

export class Router {
  readonly #authenticate: (facts: RequestFacts) => Requester;
  readonly #routes: Route[] = [];

  constructor(authenticate: (facts: RequestFacts) => Requester) {
    this.#authenticate = authenticate;
  }

  /** A route for whoever has an access token. */
  on(method: Method, path: string, handle: Handler): void {
    this.onOpen(method, path, (call) => handle(call, this.#authenticate(call)));
  }

  /** A route that needs no access token. */
  onOpen(method: Method, path: string, handle: OpenHandler): void {
    this.#routes.push({ method, segments: path.split("/"), handle });
  }

  /** Throws MatrixError, 404 and 405 M_UNRECOGNIZED among them. */
  async dispatch(facts: RequestFacts): Promise<Answer> {
    const segments = withCurrentVersion(facts.path).split("/");
    const matching = this.#routes.filter((route) => matches(route.segments, segments));
    if (matching.length === 0) throw new MatrixError(404, "M_UNRECOGNIZED", "Unrecognized request");
    const route = matching.find(({ method }) => method === facts.method);
    if (!route) throw new MatrixError(405, "M_UNRECOGNIZED", "Unrecognized request");
    const params = new Map(
      route.segments.flatMap((segment, index) =>
        segment.startsWith("{") ? [[segment.slice(1, -1), decode(segments[index] ?? "")]] : [],
      ),
    );
    return route.handle({ ...facts, param: (name) => params.get(name) ?? "" });
  }
}

// r0 is v3 under its old name.
function withCurrentVersion(path: string): string {
  return path.replace(/^\/_matrix\/client\/r0\//, "/_matrix/client/v3/");
}

function matches(route: readonly string[], path: readonly string[]): boolean {
  return (
    route.length === path.length && route.every((segment, index) => segment.startsWith("{") || segment === path[index])
  );
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalidParam("The path is not valid percent-encoding");
  }
}
