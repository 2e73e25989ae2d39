// The block list of this process: read once from the store, asked at every call and text, changed by people and admins.
import type { Cause } from "../../core/call/model/cause.ts";
import type { UserId } from "../../core/ids.ts";
import type { GhostIds } from "../../core/number/ghost/ghost-id.ts";
import { isEmergency, planCall, type DialPlan, type PlannedCall } from "../../core/number/plan/dial-plan.ts";
import {
  blockKeys,
  numbersReached,
  readBlocked,
  type Block,
  type BlockResponse,
} from "../../core/policy/block-list.ts";
import type {
  AddedBlock,
  BlockAddition,
  BlockRemoval,
  BlocksDoor,
  RemovedBlock,
} from "../../ports/admin/blocks-door.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StoredBlocks } from "../../ports/store.ts";

/** Who calls or writes. */
export interface CallerNumber {
  readonly number: string;
  readonly withheld: boolean;
}

export interface BlocksParts {
  readonly stored: StoredBlocks;
  readonly ids: Pick<GhostIds, "forDialled">;
  readonly plan: () => DialPlan;
  /** What blocked callers hear whose entry does not say. */
  readonly response: () => BlockResponse;
  readonly clock: Pick<Clock, "wallMs">;
}

/** So many can one person have: each call is compared with them, and nobody keeps more by hand. */
const mostOfPerson = 500;
const mostForAll = 20_000;

export class Blocks implements BlocksDoor {
  readonly #parts: BlocksParts;
  readonly #entries = new Map<string, Block>();

  constructor(parts: BlocksParts) {
    this.#parts = parts;
  }

  /** Rejects with StoreError. */
  async load(): Promise<void> {
    for (const block of await this.#parts.stored.list()) this.#entries.set(keyOf(block.what, block.person), block);
  }

  /** Why the caller reaches nobody, or not this person; undefined where they do. */
  refusalOf({ number, withheld }: CallerNumber, person?: UserId): Cause | undefined {
    const keys = blockKeys(withheld ? undefined : number, this.#parts.plan().country);
    const block = this.#find(keys, person);
    return block && causes[block.response ?? this.#parts.response()];
  }

  /** Whether nobody may call the number, whichever trunk and spelling it would go out in. */
  bars(planned: PlannedCall): boolean {
    const { country } = this.#parts.plan();
    return numbersReached(planned).some((number) => this.#find(blockKeys(number, country), undefined) !== undefined);
  }

  list(): readonly Block[] {
    return [...this.#entries.values()].toSorted((one, other) => other.atMs - one.atMs);
  }

  async add({ text, person, response, by }: BlockAddition): Promise<AddedBlock> {
    const { stored, clock } = this.#parts;
    const read = this.#read(text);
    if (read.kind === "none") return read;
    const { what } = read;
    const key = keyOf(what, person);
    const most = person === undefined ? mostForAll : mostOfPerson;
    const others = this.list().filter((block) => block.person === person).length;
    if (!this.#entries.has(key) && others >= most) return { kind: "none", why: "too-many" };
    const block: Block = { what, person, response, by, atMs: clock.wallMs() };
    await stored.save(block);
    this.#entries.set(key, block);
    return { kind: "added", block };
  }

  async remove({ text, person }: BlockRemoval): Promise<RemovedBlock> {
    const read = this.#read(text);
    if (read.kind === "none") return read;
    const key = keyOf(read.what, person);
    const block = this.#entries.get(key);
    if (block === undefined) return { kind: "none", why: "not-there" };
    await this.#parts.stored.remove(block.what, person);
    this.#entries.delete(key);
    return { kind: "removed", block };
  }

  #read(text: string): ReturnType<typeof readBlocked> | { readonly kind: "none"; readonly why: "emergency" } {
    const { ids, plan } = this.#parts;
    const read = readBlocked(text, ids, plan().country);
    const found = read.kind === "blocked" ? ids.forDialled(read.what) : undefined;
    // Who answers there may have to call back.
    const isHelp = found?.kind === "ghost" && isEmergency(planCall(found.target, plan()));
    return isHelp ? { kind: "none", why: "emergency" } : read;
  }

  #find(keys: readonly string[], person: UserId | undefined): Block | undefined {
    for (const what of keys) {
      const block = this.#entries.get(keyOf(what, person));
      if (block !== undefined) return block;
    }
    return undefined;
  }
}

function keyOf(what: string, person: UserId | undefined): string {
  return `${person ?? ""} ${what}`;
}

const causes: Readonly<Record<BlockResponse, Cause>> = {
  decline: "blocked",
  unwanted: "blocked-unwanted",
  busy: "blocked-busy",
  unavailable: "blocked-unavailable",
};
