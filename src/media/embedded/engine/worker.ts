// A media worker process: sessions by number, orders from the engine over the IPC channel. Whatever breaks here (it
// holds native code) breaks the sessions of this process and nothing else.
import { AsyncLocalStorage } from "node:async_hooks";
import nodeDataChannel from "node-datachannel";
import { MediaError } from "../../../ports/media.ts";
import { clockMs } from "../base/clock.ts";
import type { WorkerSettings } from "../base/settings.ts";
import type { FromWorker, LogLevel, Order, OrderResult, ToWorker } from "../session/protocol.ts";
import { Session } from "../session/session.ts";
import type { EndMarks } from "../trunk/dialog-media.ts";

interface Desk {
  /** The last order of the session: the next one waits for it. */
  tail: Promise<unknown>;
  session: Session | undefined;
}

const tickMs = 1000;
const desks = new Map<number, Desk>();
/** Whose work it is, in timers and events too: what is thrown there ends that session, not the process with all the others. */
const working = new AsyncLocalStorage<number>();
let settings: WorkerSettings | undefined;

function say(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

function log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void {
  say({ kind: "log", level, message, fields });
}

async function carryOut(number: number, order: Order): Promise<OrderResult> {
  const desk = desks.get(number);
  if (order.kind === "open") {
    if (settings === undefined || desk === undefined) throw new MediaError("engine", "not started");
    const { opening } = order;
    desk.session = await Session.open(settings, opening, {
      fact: (fact) => say({ kind: "report", session: number, fact }),
      price: (price) => say({ kind: "price", session: number, price }),
      admissionWanted: (end, focus) => say({ kind: "admissionWanted", session: number, end, focus }),
      met: (end, isAnybody) => say({ kind: "met", session: number, end, isAnybody }),
      log: (level, message, fields) => log(level, message, { call: opening.call, ...fields }),
    });
    if (desk.session === undefined) desks.delete(number);
    return desk.session?.local ?? null;
  }
  const session = desk?.session;
  if (session === undefined) throw new MediaError("engine", "no such session");
  switch (order.kind) {
    case "offered":
      return session.offered();
    case "accept":
      return session.accept(order.remote);
    case "prepare":
      session.prepare(order.remote);
      return null;
    case "follow":
      await session.follow(order.following);
      return null;
    case "attend":
      session.attend(order.attendance);
      return null;
    case "enter":
      session.enter(order.admission, order.focus);
      return null;
    case "ring":
      session.ring(order.end);
      return null;
    case "prompt":
      session.prompt(order.prompt);
      return null;
    case "press":
      session.press(order.to, order.digit, order.durationMs);
      return null;
    case "stats":
      return session.stats();
    case "unheard":
      return session.unheard();
    case "candidates":
      session.addCandidates(order.candidates);
      return null;
    case "detach":
      return session.detach(order.end);
    case "close":
      desks.delete(number);
      return session.close();
  }
}

/** Orders after which a dialog has to go on as they left it. */
const moving: ReadonlySet<Order["kind"]> = new Set(["open", "follow"]);

/** Before the engine passes on what was written, so that it knows of it should this process die. */
function sayDialogs(number: number, { kind }: Order): void {
  const session = desks.get(number)?.session;
  if (session !== undefined && moving.has(kind)) say({ kind: "dialogs", session: number, dialogs: session.dialogs() });
}

async function answer(number: number, session: number, order: Order): Promise<void> {
  try {
    const result = await carryOut(session, order);
    sayDialogs(session, order);
    say({ kind: "done", number, result });
  } catch (error) {
    const fault = error instanceof MediaError ? error.code : "engine";
    const message = error instanceof Error ? error.message : String(error);
    sayDialogs(session, order);
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined;
    if (fault === "engine") log("warn", "media order failed", { order: order.kind, message, cause });
    say({ kind: "refused", number, fault, message });
  }
}

process.on("message", (message: ToWorker) => {
  if (message.kind === "start") {
    ({ settings } = message);
    say({ kind: "ready" });
    return;
  }
  if (message.kind === "ping") {
    say({ kind: "pong" });
    return;
  }
  const { number, session, order } = message;
  if (order.kind === "open") desks.set(session, { tail: Promise.resolve(), session: undefined });
  const desk = desks.get(session);
  const before = desk?.tail ?? Promise.resolve();
  const after = before.then(async () => working.run(session, async () => answer(number, session, order)));
  if (desk !== undefined) desk.tail = after;
});

process.on("uncaughtException", (error) => {
  const number = working.getStore();
  if (number === undefined) throw error;
  const session = desks.get(number)?.session;
  if (session === undefined) log("error", "a media session that is over broke", { error: error.stack });
  else session.broke(error);
});

// Without the engine there is nobody to serve.
process.on("disconnect", () => process.exit(0));
// The terminal's Ctrl-C reaches the whole group: the engine decides when its workers end.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);

nodeDataChannel.initLogger("Error", (level, message) => log("warn", "ICE library", { level, detail: message }));

setInterval(() => {
  const nowMs = clockMs();
  const marks: [number, EndMarks][] = [];
  for (const [number, { session }] of desks) {
    working.run(number, () => session?.tick(nowMs));
    if (session !== undefined) marks.push([number, session.marks()]);
  }
  if (marks.length > 0) say({ kind: "marks", marks });
}, tickMs);
