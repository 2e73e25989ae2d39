// The block list, for an admin's tools and for the bot.
import type { UserId } from "../../core/ids.ts";
import type { Block, BlockResponse } from "../../core/policy/block-list.ts";

export interface BlockAddition {
  /** A number in any spelling, its beginning with `*` behind it, a SIP address, or `anonymous`. */
  readonly text: string;
  /** Whom it keeps the caller away from; undefined: everybody. */
  readonly person: UserId | undefined;
  readonly response: BlockResponse | undefined;
  readonly by: string;
}

export type BlockRemoval = Pick<BlockAddition, "text" | "person">;

/** `emergency`: whoever answers such a number may have to call back. */
type NoBlock = { readonly kind: "none"; readonly why: "not-a-number" | "prefix-too-short" | "emergency" };

export type AddedBlock =
  | { readonly kind: "added"; readonly block: Block }
  | NoBlock
  | { readonly kind: "none"; readonly why: "too-many" };

export type RemovedBlock =
  | { readonly kind: "removed"; readonly block: Block }
  | NoBlock
  | { readonly kind: "none"; readonly why: "not-there" };

export interface BlocksDoor {
  /** The latest first. */
  list(): readonly Block[];
  /** In place of the entry for the same callers, if there is one. Rejects with StoreError. */
  add(addition: BlockAddition): Promise<AddedBlock>;
  /** Rejects with StoreError. */
  remove(removal: BlockRemoval): Promise<RemovedBlock>;
}
