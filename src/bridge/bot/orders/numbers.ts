// Telephone numbers as the bot's readers know them: with the name that the contacts have, written as in their country.
import { dialString } from "../../../core/number/dialled.ts";
import { toE164, readableForm, type Country } from "../../../core/number/e164.ts";
import type { GhostIds } from "../../../core/number/ghost/ghost-id.ts";
import { numberKey } from "../../../core/number/plan/number-key.ts";
import type { DialPlan } from "../../../core/number/plan/dial-plan.ts";
import type { NumberKey } from "../../../core/ids.ts";

export interface NumberWordsParts {
  readonly ids: Pick<GhostIds, "forDialled">;
  readonly plan: () => DialPlan;
  readonly nameOf: (key: NumberKey) => string | undefined;
}

export class NumberWords {
  readonly #parts: NumberWordsParts;

  constructor(parts: NumberWordsParts) {
    this.#parts = parts;
  }

  get country(): Country | undefined {
    return this.#parts.plan().country;
  }

  /** What the numbering plan does not know stays as it is: extensions, addresses, `Anonymous`. */
  shown(number: string): string {
    const keys = dialString(number);
    const known = keys && toE164(keys, this.country);
    return known === undefined ? number : readableForm(known, this.country);
  }

  /** `Bob (020 7946 0123)`. */
  named(number: string): string {
    const { ids, plan, nameOf } = this.#parts;
    const found = ids.forDialled(number);
    const name = found.kind === "ghost" ? nameOf(numberKey(found.target, plan())) : undefined;
    return name === undefined ? this.shown(number) : `${name} (${this.shown(number)})`;
  }
}
