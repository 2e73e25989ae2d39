// A confirmed call as data: whether the trunk transfers it, and how far that is.
import type { Reference } from "../headers/refer-to.ts";
import type { ReferIn } from "../transfer/refer-in.ts";
import type { Replacement } from "./replacement.ts";

/** A REFER of the trunk that is not over yet. */
interface Referred {
  readonly arrival: ReferIn;
  readonly reference: Reference;
}

/**
 * ```
 * talking --REFER of the trunk--> referred --followed--> replacing --new dialog--> over
 *    ^                               |                       |   \--BYE--> left --new dialog, failure--> over
 *    '--refused----------------------'-----------failure-----'
 * talking, referred --BYE--> over
 * ```
 */
export type ConfirmedState =
  | { readonly phase: "talking" }
  | { readonly phase: "referred"; readonly referred: Referred }
  /** Another INVITE is to take this call over. */
  | { readonly phase: "replacing"; readonly referred: Referred; readonly replacement: Replacement }
  /** The peer has left while that was under way; its cause. */
  | {
      readonly phase: "left";
      readonly referred: Referred;
      readonly replacement: Replacement;
      readonly q850: number | undefined;
    }
  /** `abandoned`: the INVITE that was to take it over is ended too, and says so when it is. */
  | { readonly phase: "over"; readonly abandoned: (() => void) | undefined };

export const TALKING: ConfirmedState = { phase: "talking" };
