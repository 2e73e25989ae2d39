// What each person has chosen for themselves, one value each, kept over restarts.
import { parseUserId, type UserId } from "../../core/ids.ts";
import type { Settings } from "../../ports/store.ts";

export interface OwnChoicesParts<Choice extends string | number | null> {
  readonly settings: Settings;
  /** Under which they are stored. */
  readonly key: string;
  /** Undefined of what makes no sense: that is nobody's choice. */
  readonly parse: (stored: unknown) => Choice | undefined;
  /** Whether it need not be kept any more. */
  readonly isOver?: (choice: Choice) => boolean;
}

export class OwnChoices<Choice extends string | number | null> {
  readonly #parts: OwnChoicesParts<Choice>;
  #choices: ReadonlyMap<UserId, Choice> = new Map();
  /** One change after the other: each is stored with all that were before it. */
  #changing: Promise<void> = Promise.resolve();

  constructor(parts: OwnChoicesParts<Choice>) {
    this.#parts = parts;
  }

  /** Rejects with StoreError. */
  async load(): Promise<void> {
    const { settings, key, parse } = this.#parts;
    this.#choices = readStored(await settings.get(key), parse);
  }

  of(person: UserId): Choice | undefined {
    return this.#choices.get(person);
  }

  /** Undefined: they choose nothing any more. Rejects with StoreError; then nothing is changed. */
  choose(person: UserId, choice: Choice | undefined): Promise<void> {
    this.#changing = this.#change(this.#changing, person, choice);
    return this.#changing;
  }

  async #change(before: Promise<void>, person: UserId, choice: Choice | undefined): Promise<void> {
    const { settings, key, isOver } = this.#parts;
    await Promise.allSettled([before]);
    const next = new Map([...this.#choices].filter(([, one]) => isOver?.(one) !== true));
    if (choice === undefined) next.delete(person);
    else next.set(person, choice);
    await settings.set(key, JSON.stringify(Object.fromEntries(next)));
    this.#choices = next;
  }
}

function readStored<Choice>(
  text: string | undefined,
  parse: (stored: unknown) => Choice | undefined,
): ReadonlyMap<UserId, Choice> {
  try {
    const stored: unknown = JSON.parse(text ?? "{}");
    if (typeof stored !== "object" || stored === null) return new Map();
    return new Map(
      Object.entries(stored).flatMap(([name, value]: readonly [string, unknown]) => {
        const [person, choice] = [parseUserId(name), parse(value)];
        return person === undefined || choice === undefined ? [] : [[person, choice] as const];
      }),
    );
  } catch {
    return new Map();
  }
}
