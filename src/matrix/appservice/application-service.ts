// The HTTP side towards the homeserver: matrix-appservice's AppService with a front of ours before it.
// The library acknowledges a transaction before anybody has acted on it, compares tokens in leaking time, parses
// `a[b]` in queries and answers 200 for aliases that do not exist; those parts are replaced, its other routes serve.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { NextFunction, Request, Response } from "express";
import { crowdOf, type Crowd } from "../../core/policy/crowd.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ApplicationServiceQueries } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import { tokenCheck } from "./hs-token.ts";
import { AppService } from "../client/library.ts";
import { parseQuery } from "./query-string.ts";
import { RefusedRequests } from "./refused-requests.ts";
import { thirdPartyAnswer } from "./third-party.ts";
import { parseTransaction, type Transaction } from "./transaction.ts";

export interface ApplicationServiceParts {
  readonly hsToken: string;
  /** Stores the events of a transaction; only then is it acknowledged. */
  readonly take: (transaction: Transaction) => Promise<void>;
  readonly queries: () => ApplicationServiceQueries;
  readonly clock: Clock;
  readonly log: Log;
}

const prefix = "/_matrix/app/";
const transactionPath = /^\/_matrix\/app\/v1\/transactions\/[^/]+$/;
const pingPath = "/_matrix/app/v1/ping";
const aliasPath = /^\/_matrix\/app\/v1\/rooms\//i;
/** Unversioned paths of old homeservers, which the library redirects. */
const legacyPath = /^\/(users|rooms|transactions)\//;

/**
 * 100 events of 64 KiB, as many ephemeral and to-device ones, and the state that comes with invites. A transaction
 * refused for its size would be sent again for ever and hold up all others, and only our homeserver gets this far.
 */
const maxTransactionBytes = 50_000_000;

/**
 * Synapse keeps a pooled connection for 2 minutes. If we closed it first, a transaction could be sent into the closing
 * connection, and one failed transaction silences some homeservers for half a minute.
 */
const keepAliveMs = 125_000;
const closeGraceMs = 2_000;
/** A request is here soon, a transaction of that size in two minutes; whoever is slower is no homeserver. */
const patience = { headersTimeout: 10_000, requestTimeout: 120_000, connectionsCheckingInterval: 2_000 };
/** A homeserver has a pool of some dozen. All may come from the one address of a proxy. */
const crowdLimits = { all: 500, fromOneAddress: 300 };

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

function refuse(response: ServerResponse, status: number, errcode: string, error: string): void {
  answer(response, status, { errcode, error });
}

/** undefined: longer than allowed. Rejects if the peer goes away. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

export class ApplicationService extends AppService {
  readonly #parts: ApplicationServiceParts;
  readonly #authorityOf: ReturnType<typeof tokenCheck>;
  readonly #refused: RefusedRequests;
  readonly #server: Server;
  readonly #crowd: Crowd;
  #pingsSeen = 0;

  constructor(parts: ApplicationServiceParts) {
    super({ homeserverToken: parts.hsToken });
    this.#parts = parts;
    this.#authorityOf = tokenCheck(parts.hsToken);
    this.#refused = new RefusedRequests(parts.clock, parts.log);
    this.#server = createServer({ keepAliveTimeout: keepAliveMs, ...patience }, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        parts.log.error("could not handle a request from the homeserver", { error });
        if (!response.headersSent) refuse(response, 500, "M_UNKNOWN", "Internal error");
      });
    });
    this.#crowd = crowdOf(this.#server, crowdLimits, (peer) =>
      parts.log.debug("closed a connection to the application service: too many are open", { peer }),
    );
  }

  /** Pings of the homeserver that have come in, those with a wrong token too. */
  get pingsSeen(): number {
    return this.#pingsSeen;
  }

  /** The port that is listened on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Called by the library's Bridge once it has mounted its routes. Rejects where the address cannot be had. */
  override async listen(port: number, hostname: string, backlog: number): Promise<void> {
    this.#mountLastRoutes();
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, hostname, backlog, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    this.#server.on("error", (error) => this.#parts.log.error("application service listener failed", { error }));
  }

  override async close(): Promise<void> {
    this.#refused.stop();
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    this.#crowd.closeSilent();
    const impatience = setTimeout(() => this.#server.closeAllConnections(), closeGraceMs);
    await closed;
    clearTimeout(impatience);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    const path = mark < 0 ? url : url.slice(0, mark);
    const legacy = !path.startsWith(prefix);
    const peer = request.socket.remoteAddress;
    if (path === pingPath) this.#pingsSeen += 1;
    if (legacy && !legacyPath.test(path)) {
      this.#refused.note(
        "request that is none of an application service's refused: appservice.listen is for the homeserver",
        peer,
      );
      refuse(response, 404, "M_UNRECOGNIZED", "Unrecognized request");
      return;
    }

    const fields = parseQuery(mark < 0 ? "" : url.slice(mark + 1));
    const legacyToken = fields["access_token"];
    if (legacyToken !== undefined) delete fields["access_token"];
    const authority = this.#authorityOf(
      request.headers.authorization,
      typeof legacyToken === "string" ? legacyToken : undefined,
    );
    // Whoever has no token has no business going on talking: what they still send is not read.
    if (authority !== "granted") response.setHeader("connection", "close");
    if (authority === "missing") {
      this.#refused.note("request without a homeserver token refused", peer);
      refuse(response, 401, "M_MISSING_TOKEN", "Missing homeserver token");
      return;
    }
    if (authority === "wrong") {
      this.#refused.note(
        "request with a wrong hs_token refused: if the homeserver sent it, its copy of the registration is another one",
        peer,
      );
      refuse(response, 403, "M_FORBIDDEN", "Bad homeserver token");
      return;
    }

    const thirdParty = request.method === "GET" ? thirdPartyAnswer(this.#parts.queries(), path, fields) : undefined;
    if (thirdParty !== undefined) {
      if (thirdParty.after !== undefined) await thirdParty.after;
      answer(response, thirdParty.status, thirdParty.body);
    } else if (request.method === "PUT" && transactionPath.test(path)) {
      await this.#transaction(request, response);
    } else if (request.method === "PUT" && !legacy) {
      // The library matches paths whatever their case: no transaction may reach its own route.
      refuse(response, 404, "M_UNRECOGNIZED", "Unrecognized request");
    } else if (aliasPath.test(path)) {
      refuse(response, 404, "M_NOT_FOUND", "Room aliases are not served");
    } else {
      // The library checks again, by its own lights; and express leaves a query alone that is there already.
      request.headers.authorization = `Bearer ${this.#parts.hsToken}`;
      this.expressApp(Object.assign(request, { query: fields }) as unknown as Request, response as Response);
    }
  }

  async #transaction(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text: string | undefined;
    try {
      text = await readBody(request, maxTransactionBytes);
    } catch {
      // The homeserver went away in the middle; it will send the transaction again.
      response.destroy();
      return;
    }
    const body = parseTransaction(text);
    if (body.kind === "refused") {
      this.#parts.log.error("transaction refused", { errcode: body.errcode });
      if (text === undefined) response.setHeader("connection", "close");
      refuse(response, body.status, body.errcode, body.error);
      return;
    }
    try {
      await this.#parts.take(body.transaction);
    } catch (error) {
      this.#parts.log.error("could not store a transaction: the homeserver will send it again", { error });
      refuse(response, 500, "M_UNKNOWN", "The events could not be stored");
      return;
    }
    answer(response, 200, {});
  }

  #mountLastRoutes(): void {
    const app = this.expressApp;
    app.disable("x-powered-by");
    app.set("etag", false);
    app.post(pingPath, (_request: Request, response: Response) => answer(response, 200, {}));
    app.use((_request: Request, response: Response) => refuse(response, 404, "M_UNRECOGNIZED", "Unrecognized request"));
    // Four parameters make it express's error handler. What fails here is the request: bad JSON, a bad escape in the path.
    app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
      const isJson = error instanceof SyntaxError;
      if (response.headersSent) return;
      refuse(response, 400, isJson ? "M_NOT_JSON" : "M_UNKNOWN", isJson ? "Not JSON" : "Bad request");
    });
  }
}
