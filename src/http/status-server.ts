// What an operator's machines ask: /health (does the process still turn), /ready (could it carry a call now), /metrics.
// Knows nothing of the bridge: it is given functions to ask.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import { crowdOf } from "../core/policy/crowd.ts";
import type { Log } from "../ports/telemetry.ts";

/** One thing that a call needs. `detail` says in a few words what was found. */
export interface PartState {
  readonly ready: boolean;
  readonly detail: string;
}

export interface StatusServerOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** What readiness is made of, by name: `store`, `homeserver`, `media`, `trunks`. A part that throws is not ready. */
  readonly parts: Readonly<Record<string, () => PartState | Promise<PartState>>>;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly log: Log;
}

export interface StatusServer {
  /** Rejects where the port is taken. */
  listen(): Promise<void>;
  /** The port listened on, after `listen`. */
  port(): number;
  stop(): Promise<void>;
}

/** A part that has not answered by then is not ready: an orchestrator's own patience is about as long. */
const partTimeoutMs = 1_000;

/** Questions are short; whoever takes longer asks nothing. */
const patience = { headersTimeout: 10_000, requestTimeout: 15_000, connectionsCheckingInterval: 2_000 };
const crowdLimits = { all: 200, fromOneAddress: 100 };

function partState(ask: () => PartState | Promise<PartState>): Promise<PartState> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ ready: false, detail: "does not answer" }), partTimeoutMs);
    const settle = (state: PartState): void => {
      clearTimeout(timer);
      resolve(state);
    };
    Promise.resolve()
      .then(ask)
      .then(settle, (cause: unknown) =>
        settle({ ready: false, detail: cause instanceof Error ? cause.message : "failed" }),
      );
  });
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
    const names = Object.keys(options.parts);
    const states = await Promise.all(Object.values(options.parts).map(partState));
    const ready = states.every((state) => state.ready);
    response.status(ready ? 200 : 503).json({
      status: ready ? "ready" : "not ready",
      parts: Object.fromEntries(names.map((name, index) => [name, states[index]])),
    });
  });

  app.get("/metrics", async (_request, response) => {
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

export function createStatusServer(options: StatusServerOptions): StatusServer {
  const server: Server = createServer(patience, routes(options));
  crowdOf(server, crowdLimits, (peer) =>
    options.log.debug("closed a connection to the status listener: too many are open", { peer }),
  );
  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(options.port, options.host, () => {
          server.off("error", reject);
          server.on("error", (error) => options.log.error("status listener failed", { error }));
          resolve();
        });
      }),
    port: () => (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        if (!server.listening) {
          resolve();
          return;
        }
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
