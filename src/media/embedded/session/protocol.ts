// What the engine and its worker processes say to each other over the IPC channel: plain data, typed on both ends.
import type { CallId } from "../../../core/ids.ts";
import type { IceCandidate } from "../../../core/call/model/fact.ts";
import type { MediaFault, MediaEnd, Prompt } from "../../../core/media-end.ts";
import type { MediaStats } from "../../../core/call/model/media-stats.ts";
import type { Admission, Attendance, FocusId } from "../../../ports/conference.ts";
import type {
  ConferenceEnd,
  EngineSession,
  Following,
  LocalClient,
  RemoteClient,
  RemoteConference,
  RemotePeer,
} from "../../../ports/media-engine.ts";
import type { ClientEnd, MediaReport, PromptEnd, TrunkEnd } from "../../../ports/media.ts";
import type { WorkerSettings } from "../base/settings.ts";
import type { DialogMedia, EndMarks } from "../trunk/dialog-media.ts";

export interface SessionOpening {
  readonly call: CallId;
  readonly ends: Readonly<Record<MediaEnd, EndOpening>>;
}

/** What stands at one end, and what a trunk there needs besides. */
export type EndOpening =
  | ClientEnd
  | ConferenceEnd
  | PromptEnd
  | (TrunkEnd & {
      /** The even port for RTP; RTCP has the next one. */
      readonly rtpPort: number;
      /** Of a dialog that had a session before. */
      readonly before: DialogMedia | undefined;
    });

export type EndDialogs = Partial<Record<MediaEnd, DialogMedia>>;

/** A seat stays with the engine: attendance and admissions come of it in orders of their own. */
export type FollowingOrder = Following<RemotePeer | (ConferenceEnd & Omit<RemoteConference, "seat">)>;

/** What each kind of order carries. */
interface Orders {
  readonly open: { readonly opening: SessionOpening };
  readonly offered: { readonly end: MediaEnd };
  readonly accept: { readonly end: MediaEnd; readonly remote: RemoteClient };
  readonly prepare: { readonly end: MediaEnd; readonly remote: RemoteClient };
  readonly follow: { readonly following: FollowingOrder };
  /** Who is in the conference at that end. */
  readonly attend: { readonly end: MediaEnd; readonly attendance: Attendance };
  /** What the session wanted; undefined: there is none now. */
  readonly enter: {
    readonly end: MediaEnd;
    readonly focus: FocusId | undefined;
    readonly admission: Admission | undefined;
  };
  readonly ring: { readonly end: MediaEnd };
  readonly prompt: { readonly prompt: Prompt };
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

/** Where the trunks of a session reach us. */
export type LocalTrunks = EngineSession["local"];

/** And what it brings. */
export interface OrderResults {
  /** Null: the ports are taken by somebody else. */
  readonly open: LocalTrunks | null;
  readonly offered: LocalClient;
  readonly accept: LocalClient;
  readonly prepare: null;
  readonly follow: null;
  readonly attend: null;
  readonly enter: null;
  readonly ring: null;
  readonly prompt: null;
  readonly press: null;
  readonly candidates: null;
  readonly stats: MediaStats;
  readonly unheard: readonly MediaEnd[];
  /** Null: no trunk is there. */
  readonly detach: DialogMedia | null;
  readonly close: MediaStats;
}

export type OrderResult = OrderResults[OrderKind];
/** To one session. Throws MediaError. */
export type SessionOrders = <Kind extends OrderKind>(order: OrderOf<Kind>) => Promise<OrderResults[Kind]>;
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
  /** What the session costs now, in sessions that pass packets as they are. */
  | { readonly kind: "price"; readonly session: number; readonly price: number }
  /** The session wants to be let into the conference at that end, where it meets at `focus`. */
  | {
      readonly kind: "admissionWanted";
      readonly session: number;
      readonly end: MediaEnd;
      readonly focus: FocusId | undefined;
    }
  | { readonly kind: "met"; readonly session: number; readonly end: MediaEnd; readonly isAnybody: boolean }
  | {
      readonly kind: "log";
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
