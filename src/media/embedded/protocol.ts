// What the engine and its worker processes say to each other over the IPC channel: plain data, typed on both ends.
import type { CallId } from "../../core/ids.ts";
import type { IceCandidate } from "../../core/call/model/fact.ts";
import type { MediaFault, MediaSide } from "../../core/call/model/media-side.ts";
import type { MediaStats } from "../../core/call/model/media-stats.ts";
import type { Direction } from "../../core/sdp/direction.ts";
import type { IceServer, MediaReport, OfferOutcome, TrunkMedia } from "../../ports/media.ts";
import type { DialogMedia, SideMarks } from "./trunk/dialog-media.ts";

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
  readonly iceServers: readonly IceServer[];
  readonly trunk: TrunkMedia;
  /** The even port for RTP; RTCP has the next one. */
  readonly rtpPort: number;
  /** What stands on the `matrix` side if it is a trunk, and its port. */
  readonly matrix?: TrunkMedia | undefined;
  readonly matrixRtpPort?: number | undefined;
  /** Of dialogs that had a session before. */
  readonly before: { readonly [side in MediaSide]?: DialogMedia | undefined };
}

export type SideDialogs = Partial<Record<MediaSide, DialogMedia>>;

/** What each kind of order carries. */
interface Orders {
  readonly open: { readonly opening: SessionOpening };
  readonly offer: { readonly from: MediaSide; readonly sdp: string };
  readonly answer: { readonly from: MediaSide; readonly sdp: string };
  readonly settle: { readonly from: MediaSide };
  readonly describe: { readonly side: MediaSide };
  readonly cross: { readonly sdp: string };
  readonly press: { readonly to: MediaSide; readonly digit: string; readonly durationMs: number };
  readonly candidates: { readonly candidates: readonly IceCandidate[] };
  readonly stats: unknown;
  readonly unheard: unknown;
  readonly detach: { readonly side: MediaSide };
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
  readonly cross: Written<Readonly<Record<MediaSide, string>>>;
  readonly press: null;
  readonly candidates: null;
  readonly stats: MediaStats;
  readonly unheard: readonly MediaSide[];
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
  | { readonly kind: "dialogs"; readonly session: number; readonly dialogs: SideDialogs }
  /** How far the streams of all sessions have come. */
  | { readonly kind: "marks"; readonly marks: readonly (readonly [session: number, marks: SideMarks])[] }
  | { readonly kind: "report"; readonly session: number; readonly fact: MediaReport }
  | {
      readonly kind: "log";
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
