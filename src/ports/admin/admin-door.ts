// What an admin's tools may ask of the bridge and order it to do. The bridge's front door offers it; nothing reaches past it.
import type { CallResult } from "../../core/call/model/cause.ts";
import type { CallId, TrunkName, UserId } from "../../core/ids.ts";
import type { DidRule } from "../../core/number/plan/did.ts";
import type { BarredClass } from "../../core/number/plan/number-class.ts";
import type { ArrivedExplanation, DialledExplanation } from "../../core/policy/number-explanation.ts";
import type { LadderMessage } from "../ladders/ladder.ts";
import type { TrunkAnswer, TrunkHealth } from "../sip.ts";
import type { AdminActions, RecordPlace } from "../store.ts";
import type { LogLevel } from "../telemetry.ts";
import type { AdminLogins } from "./admin-logins.ts";
import type { BlocksDoor } from "./blocks-door.ts";
import type { SpendingDoor } from "./spending-door.ts";
import type { TestCalls } from "./test-call.ts";
import type { BridgeEvent, Listener, Overrun } from "./bridge-event.ts";
import type { ReloadReport } from "./reload-report.ts";
import type { EndedCall, MeasuredCall } from "./observed-call.ts";
import type { QualityDoor } from "./quality-door.ts";

export interface TrunkStatus {
  /** Its `sinceMs` is in ms since the epoch. */
  readonly health: TrunkHealth;
  /** No call begins over it, in either direction. */
  readonly paused: boolean;
  /** Calls that are up, or begin or end. */
  readonly calls: number;
}

/** Something that a call needs. `detail` says in plain words what was found, never a secret. */
export interface PartReadiness {
  readonly ready: boolean;
  readonly detail: string;
}

export interface RecordQuery {
  /** Ended then or later, and before `toMs` (ms since the epoch). */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly person?: UserId | undefined;
  /** The far end's or the called one, in any spelling. */
  readonly number?: string | undefined;
  readonly trunk?: TrunkName | undefined;
  readonly result?: CallResult | undefined;
  /** Goes on behind this one. */
  readonly after?: RecordPlace | undefined;
  readonly limit: number;
  /** Numbers are not masked. */
  readonly wholeNumbers: boolean;
}

export interface RecordPage {
  /** Newest first. It may be short or empty although there are more: looking through many records takes several questions. */
  readonly records: readonly EndedCall[];
  /** Where the next page begins; undefined: there is none. */
  readonly next: RecordPlace | undefined;
}

/** Whom the permissions name, or a number rings. */
export interface UserStatus {
  /** A user id, a server name, or `*`. */
  readonly subject: string;
  /** The entry of the permissions that decides; undefined: none. */
  readonly rule: string | undefined;
  readonly mayCall: boolean;
  /** Kinds of number, those that everybody may call included. */
  readonly allow: readonly BarredClass[];
  readonly callsAtOnce: number;
  readonly maxDurationMs: number;
  /** Calls of the moment; undefined of whoever is no single person. */
  readonly calls: number | undefined;
  /** Numbers, patterns and prefixes that ring them. */
  readonly rungBy: readonly string[];
}

export interface Limits {
  readonly callsInAll: { readonly limit: number; readonly used: number };
  readonly callsPerUser: number;
  readonly callsPerMinute: number;
  readonly maxDurationMs: number;
  readonly allow: readonly BarredClass[];
  /** Everybody who is in a call. */
  readonly people: readonly { readonly person: UserId; readonly limit: number; readonly used: number }[];
}

export interface ExplainQuery {
  readonly text: string;
  /** Who dials it. */
  readonly person?: UserId | undefined;
  /** As if the call went over this trunk. */
  readonly trunk?: TrunkName | undefined;
  /** As it comes from this trunk; then nobody dials it. */
  readonly fromTrunk?: TrunkName | undefined;
}

export type NumberExplanation =
  | { readonly way: "dialled"; readonly found: DialledExplanation }
  | { readonly way: "arrived"; readonly found: ArrivedExplanation };

export interface AdminDoor {
  /** What a call needs, by name, each to be asked whether it is ready. */
  readonly readiness: Readonly<Record<string, () => PartReadiness | Promise<PartReadiness>>>;
  /** Why no call begins now, whichever trunk it would take; undefined while calls may begin. */
  closed(): "draining" | "restarting" | "cannot-store" | undefined;

  /** All of the moment. Numbers are masked as in the log. */
  calls(): Promise<readonly MeasuredCall[]>;
  readonly quality: QualityDoor;
  /** People read that an administrator ended it; `reason` is for the log. False: there is no such call, or it ends already. */
  end(call: CallId, reason: string): boolean;
  /** Ended calls. Rejects with StoreError. */
  records(query: RecordQuery): Promise<RecordPage>;
  /** What Matrix and SIP said in a call, oldest first. Undefined: there is no such call, or nothing is kept of it any more. */
  ladder(call: CallId, wholeNumbers: boolean): Promise<readonly LadderMessage[] | undefined>;
  /** What a trunk has said last outside of calls. Undefined: no such trunk. */
  trunkLadder(trunk: TrunkName, wholeNumbers: boolean): readonly LadderMessage[] | undefined;
  /** Tells what happens from now on, until the function that it gives is called. Nobody waits for a slow listener. */
  subscribe(listener: Listener<BridgeEvent | Overrun>): () => void;

  trunks(): readonly TrunkStatus[];
  /** How long it took to answer the last OPTIONS, the oldest first; in ms since the epoch. Undefined: no such trunk. */
  trunkAnswers(trunk: TrunkName): readonly TrunkAnswer[] | undefined;
  /** No call begins over it, calls to emergency numbers excepted; those that are up go on. False: no such trunk. */
  pause(trunk: TrunkName): boolean;
  resume(trunk: TrunkName): boolean;

  /** Whom the numbers of the trunks ring. */
  numbers(): readonly DidRule[];
  /** What happens to a number, from the configuration alone. Undefined: a trunk that it names does not exist. */
  explain(query: ExplainQuery): NumberExplanation | undefined;
  users(): readonly UserStatus[];
  limits(): Limits;

  /** Reads the configuration again, and does what it says as far as that needs no restart. Never rejects for what it says. */
  reload(): Promise<ReloadReport>;
  /** The least important lines that the log has. */
  logLevel(): LogLevel;
  /** Until the bridge is started again. */
  setLogLevel(level: LogLevel): void;

  /**
   * Begins no more calls, and waits until the last one has ended by itself; those that are left after `withinMs` are ended
   * with words. Gives how many those were. For good: what follows is `stop`.
   */
  drain(withinMs: number): Promise<number>;

  /** Whose calls nobody takes, or one person does not. */
  readonly blocks: BlocksDoor;
  readonly spending: SpendingDoor;
  /** As the log shows a telephone number. */
  shownNumber(number: string): string;

  /** Calls that admins make to see whether a trunk carries one. */
  readonly testCalls: TestCalls;

  readonly logins: AdminLogins;

  /** What admins have done, for as long as the records of calls are kept. */
  readonly actions: Pick<AdminActions, "note" | "latest">;
}

/** What the bridge itself offers of it: the configuration's file is not known in there. */
export type BridgeDoor = Omit<AdminDoor, "reload">;
