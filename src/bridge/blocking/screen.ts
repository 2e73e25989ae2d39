// Whom a caller, or the sender of a text, reaches of those whom the called number rings.
import type { Cause } from "../../core/call/model/cause.ts";
import type { RingStage, RingTarget } from "../../core/number/plan/ring-stage.ts";
import type { Blocks, CallerNumber } from "./blocks.ts";

export type Screened =
  | { readonly kind: "passed"; readonly stages: readonly RingStage[] }
  | { readonly kind: "refused"; readonly cause: Cause };

export class Screen {
  readonly #blocks: Pick<Blocks, "refusalOf">;

  constructor(blocks: Pick<Blocks, "refusalOf">) {
    this.#blocks = blocks;
  }

  /** Without people who have blocked the caller, and without stages for nobody. A room rings unless the caller is blocked for all. */
  look(caller: CallerNumber, stages: readonly RingStage[]): Screened {
    const forAll = this.#blocks.refusalOf(caller);
    if (forAll !== undefined) return { kind: "refused", cause: forAll };
    const refusalBy = (target: RingTarget): Cause | undefined =>
      target.kind === "person" ? this.#blocks.refusalOf(caller, target.person) : undefined;
    const reached = stages
      .map((stage) => ({ ...stage, targets: stage.targets.filter((target) => refusalBy(target) === undefined) }))
      .filter(({ targets }) => targets.length > 0);
    const [cause] =
      reached.length > 0 ? [] : stages.flatMap(({ targets }) => targets.flatMap((one) => refusalBy(one) ?? []));
    return cause === undefined ? { kind: "passed", stages: reached } : { kind: "refused", cause };
  }
}
