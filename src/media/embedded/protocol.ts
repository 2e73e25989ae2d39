// What the engine and its worker processes say to each other over the IPC channel: plain data, typed on both ends.
import type { CallId } from "../../core/ids.ts";
import type { IceCandidate } from "../../core/call/model/fact.ts";
import type { MediaFault, MediaEnd } from "../../core/call/model/media-end.ts";
import type { MediaStats } from "../../core/call/model/media-stats.ts";
import type { Direction } from "../../core/sdp/direction.ts";
import type { ClientEnd, MediaReport, OfferOutcome, TrunkEnd } from "../../ports/media.ts";
import type { DialogMedia, EndMarks } from "./trunk/dialog-media.ts";

/** What every session of a worker shares. */
export interface WorkerSettings {
  readonly rtp: { readonly host: string; readonly advertisedHost: string };
  readonly ice: {
    readonly bindHost: string | undefined;
    readonly advertisedHosts: readonly string[];
    readonly portMin: number | undefined;
    readonly portMax: number | undefined;
  };
  readonly silenceTimeoutMs: number;
  readonly reconnectTimeoutMs: number;
}

export interface SessionOpening {
  readonly call: CallId;
  readonly ends: Readonly<Record<MediaEnd, EndOpening>>;
}

/** What stands at one end, and what a trunk there needs besides. */
export type EndOpening =
  | ClientEnd
  | (TrunkEnd & {
      /** The even port for RTP; RTCP has the next one. */
      readonly rtpPort: number;
      /** Of a dialog that had a session before. */
      readonly before: DialogMedia | undefined;
    });

export type EndDialogs = Partial<Record<MediaEnd, DialogMedia>>;

/** What each kind of order carries. */
interface Orders {
  readonly open: { readonly opening: SessionOpening };
  readonly offer: { readonly from: MediaEnd; readonly sdp: string };
  readonly answer: { readonly from: MediaEnd; readonly sdp: string };
  readonly settle: { readonly from: MediaEnd };
  readonly describe: { readonly end: MediaEnd };
  readonly cross: { readonly from: MediaEnd; readonly sdp: string };
  readonly press: { readonly to: MediaEnd; readonly digit: string; readonly durationMs: number };
  readonly candidates: { readonly candidates: readonly IceCandidate[] };
  readonly stats: unknown;
  readonly unheard: unknown;
  readonly detach: { readonly end: MediaEnd };
  readonly close: unknown;
}

export type OrderKind = keyof Orders;
export type OrderOf<Kind extends OrderKind> = { readonly kind: Kind } & Orders[Kind];
export type Order = { [Kind in OrderKind]: OrderOf<Kind> }[OrderKind];

/** The outcome of an order that writes a description; `untold` as in ports/media. */
export interface Written<Outcome> {
  readonly outcome: Outcome;
  readonly untold: Direction | undefined;
}

/** And what it brings. */
export interface OrderResults {
  /** False: the ports are taken by somebody else. */
  readonly open: boolean;
  readonly offer: Written<OfferOutcome>;
  readonly answer: Written<string>;
  readonly settle: Written<string>;
  readonly describe: Written<string>;
  readonly cross: Written<Readonly<Record<MediaEnd, string>>>;
  readonly press: null;
  readonly candidates: null;
  readonly stats: MediaStats;
  readonly unheard: readonly MediaEnd[];
  /** Null: no trunk is there. */
  readonly detach: DialogMedia | null;
  readonly close: MediaStats;
}

export type OrderResult = OrderResults[OrderKind];
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

export type ToWorker =
  | { readonly kind: "start"; readonly settings: WorkerSettings }
  /** Answered at once, whatever else goes on. */
  | { readonly kind: "ping" }
  /** Orders of one session are carried out one after the other. `number` comes back with the outcome. */
  | { readonly kind: "order"; readonly number: number; readonly session: number; readonly order: Order };

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "pong" }
  | { readonly kind: "done"; readonly number: number; readonly result: OrderResult }
  | { readonly kind: "refused"; readonly number: number; readonly fault: MediaFault; readonly message: string }
  /** What the dialogs of a session's trunks have been told; sent before the order that changed it is done. */
  | { readonly kind: "dialogs"; readonly session: number; readonly dialogs: EndDialogs }
  /** How far the streams of all sessions have come. */
  | { readonly kind: "marks"; readonly marks: readonly (readonly [session: number, marks: EndMarks])[] }
  | { readonly kind: "report"; readonly session: number; readonly fact: MediaReport }
  | {
      readonly kind: "log";
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
