// What the main thread and the crypto worker say to each other: small questions about one machine each, plain data both
// ways. The worker never speaks to the homeserver: it says what is to be requested, and is told the answers.
import type { UserId } from "../../core/ids.ts";

/** A request that a machine wants made (client-server API, "End-to-end encryption"). */
export interface MachineRequest {
  readonly kind: "keys-upload" | "keys-query" | "keys-claim" | "to-device";
  /** By which the machine knows the answer; undefined where it wants none. */
  readonly id: string | undefined;
  /** JSON. */
  readonly body: string;
  /** Of to-device messages. */
  readonly eventType?: string;
  readonly transaction?: string;
}

/** Keys that are to be backed up. */
export interface BackupRequest {
  readonly id: string;
  readonly version: string;
  /** JSON. */
  readonly body: string;
}

/** What the homeserver tells a device. */
export interface DeviceNews {
  /** The to-device events, JSON each. */
  readonly events: readonly string[];
  /** Whose devices are others than before; `everybody`: anybody's may be. */
  readonly changed: readonly string[] | "everybody";
  readonly left: readonly string[];
  /** Unused one-time keys by algorithm; undefined where nothing is said of them, which is not the same as none. */
  readonly counts: Readonly<Record<string, number>> | undefined;
  readonly unusedFallbackKeys: readonly string[] | undefined;
}

/** What was sent to one device alone, opened. Messages of the machines among themselves are none. */
export interface Letter {
  readonly sender: string;
  /** Of the sender. */
  readonly device: string;
  readonly type: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** @param to which user of ours it was for */
export type HearLetter = (to: UserId, letter: Letter) => void;

export type Opened =
  | { readonly kind: "plain"; readonly type: string; readonly content: Readonly<Record<string, unknown>> }
  /** The key has not come. */
  | { readonly kind: "no-key" }
  /** It will never be readable. */
  | { readonly kind: "unreadable"; readonly why: string };

interface Questions {
  /** Makes a new machine of the user, in place of any other. */
  readonly make: { readonly ask: { readonly device: string }; readonly answer: null };
  /** The machine is needed no more. */
  readonly forget: { readonly ask: object; readonly answer: null };
  readonly receive: { readonly ask: { readonly news: DeviceNews }; readonly answer: readonly Letter[] };
  /** Encrypts for one device with which there is a session; null: there is no such device. Gives the content, JSON. */
  readonly write: {
    readonly ask: { readonly to: string; readonly device: string; readonly type: string; readonly content: string };
    readonly answer: string | null;
  };
  readonly outgoing: { readonly ask: object; readonly answer: readonly MachineRequest[] };
  readonly answered: {
    readonly ask: {
      readonly request: string;
      readonly of: MachineRequest["kind"] | "keys-backup";
      readonly body: string;
    };
    readonly answer: null;
  };
  readonly track: { readonly ask: { readonly users: readonly string[] }; readonly answer: null };
  readonly claim: { readonly ask: { readonly users: readonly string[] }; readonly answer: MachineRequest | null };
  readonly share: {
    readonly ask: { readonly room: string; readonly users: readonly string[] };
    readonly answer: readonly MachineRequest[];
  };
  /** Only when the room's key was shared: the machine breaks otherwise. Gives the content, JSON. */
  readonly encrypt: {
    readonly ask: { readonly room: string; readonly type: string; readonly content: string };
    readonly answer: string;
  };
  /** With which the machine's backups are read; gives the public half. */
  readonly "backup-key": { readonly ask: { readonly key: string }; readonly answer: string };
  /** Keys are to go into this backup. */
  readonly "back-up": {
    readonly ask: { readonly publicKey: string; readonly version: string };
    readonly answer: null;
  };
  readonly unsaved: { readonly ask: object; readonly answer: BackupRequest | null };
  /** Takes a session's key from the backup. */
  readonly restore: {
    readonly ask: {
      readonly room: string;
      readonly session: string;
      readonly version: string;
      /** JSON. */
      readonly data: string;
    };
    readonly answer: null;
  };
  readonly decrypt: { readonly ask: { readonly room: string; readonly event: string }; readonly answer: Opened };
}

export type QuestionKind = keyof Questions;
export type QuestionOf<Kind extends QuestionKind> = {
  readonly kind: Kind;
  readonly user: string;
} & Questions[Kind]["ask"];
export type Question = { [Kind in QuestionKind]: QuestionOf<Kind> }[QuestionKind];
export type AnswerTo<Kind extends QuestionKind> = Questions[Kind]["answer"];

export interface ToWorker {
  readonly number: number;
  readonly question: Question;
}

export type FromWorker =
  | { readonly number: number; readonly kind: "answer"; readonly answer: AnswerTo<QuestionKind> }
  | { readonly number: number; readonly kind: "failed"; readonly message: string };
