// What an operator's machines ask: /health (does the process still turn), /ready (could it carry a call now), /metrics.
// Knows nothing of the bridge: it is given functions to ask.
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/telemetry.ts";
import { createListener } from "./listener.ts";
import { askParts, type Parts } from "./parts.ts";
import { tokenCheck } from "./token.ts";
import { WrongTokens } from "./wrong-tokens.ts";

/** Who may read the metrics: everybody, or whoever has the token; without a token nobody. */
type MetricsAccess = "open" | { readonly token: string | undefined };

export interface StatusServerOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly parts: Parts;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly metricsAccess: MetricsAccess;
  readonly clock: Clock;
  readonly log: Log;
}

export interface StatusServer {
  /** Rejects where the port is taken. */
  listen(): Promise<void>;
  /** The port listened on, after `listen`. */
  port(): number;
  stop(): Promise<void>;
}

function routes(options: StatusServerOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use((_request: Request, response: Response, next: NextFunction) => {
    response.setHeader("cache-control", "no-store");
    next();
  });

  // Answering at all is the proof: a blocked event loop does not.
  app.get("/health", (_request, response) => void response.json({ status: "alive" }));

  app.get("/ready", async (_request, response) => {
    const { ready, parts } = await askParts(options.parts);
    response.status(ready ? 200 : 503).json({ status: ready ? "ready" : "not ready", parts });
  });

  app.get("/metrics", metricsGate(options), async (_request, response) => {
    const { contentType, text } = await options.metrics();
    response.setHeader("content-type", contentType);
    response.end(text);
  });

  app.use((_request: Request, response: Response) => void response.status(404).json({ error: "not found" }));
  // Four parameters make it express's error handler.
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    options.log.error("status request failed", { error });
    if (response.headersSent) next(error);
    else response.status(500).json({ error: "internal error" });
  });
  return app;
}

/** Answers whoever may not. */
function metricsGate({ metricsAccess: access, clock, log }: StatusServerOptions) {
  if (access === "open") return (_request: Request, _response: Response, next: NextFunction) => next();
  const check = access.token === undefined ? () => "closed" as const : tokenCheck(access.token);
  const wrong = new WrongTokens(clock, log);
  return ({ headers, socket }: Request, response: Response, next: NextFunction): void => {
    const peer = socket.remoteAddress ?? "";
    const waitMs = wrong.waitMs(peer);
    if (waitMs > 0) {
      response.setHeader("retry-after", Math.ceil(waitMs / 1000));
      response.status(429).json({ error: "too many wrong tokens" });
      return;
    }
    const token = check(headers.authorization);
    if (token === "right") return next();
    if (token === "closed") {
      response.status(403).json({ error: "metrics need a token here: set admin.token, or http.open_metrics" });
      return;
    }
    if (token === "wrong") wrong.add(peer);
    response.setHeader("www-authenticate", "Bearer");
    response.status(401).json({ error: "metrics need the admin token: Authorization: Bearer TOKEN" });
  };
}

export function createStatusServer(options: StatusServerOptions): StatusServer {
  const listener = createListener(routes(options), "status", options.log);
  return { ...listener, listen: () => listener.listen({ host: options.host, port: options.port }) };
}
