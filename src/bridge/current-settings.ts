// What the configuration wants of the bridge now. A reload replaces all of it at once. Whoever needs a part of it asks for it
// at the time of use, and keeps none of it; only a call that is up keeps what it was begun with.
import type { TrunkName } from "../core/ids.ts";
import { createGhostIds, type GhostIds } from "../core/number/ghost/ghost-id.ts";
import type { BridgedTrunk, BridgeSettings } from "./setup.ts";

export class CurrentSettings {
  #now: BridgeSettings;
  /** Trunks that the configuration has no more: calls that began over them may still be up. */
  readonly #former = new Map<TrunkName, BridgedTrunk>();

  constructor(settings: BridgeSettings) {
    this.#now = settings;
  }

  get now(): BridgeSettings {
    return this.#now;
  }

  replace(next: BridgeSettings): void {
    for (const [name, trunk] of this.#now.trunks) this.#former.set(name, trunk);
    for (const name of next.trunks.keys()) this.#former.delete(name);
    this.#now = next;
  }

  /** What is made of the settings, once for each time that they change. */
  derive<Made>(make: (settings: BridgeSettings) => Made): () => Made {
    let from = this.#now;
    let made = make(from);
    return () => {
      if (from !== this.#now) {
        from = this.#now;
        made = make(from);
      }
      return made;
    };
  }

  /** One that the configuration has, or had while calls over it were up. */
  trunk(name: TrunkName): BridgedTrunk {
    const found = this.#now.trunks.get(name) ?? this.#former.get(name);
    if (found === undefined) throw new Error(`trunk ${name} is not configured`);
    return found;
  }
}

/** The ids that numbers have by the settings of the moment. */
export function currentGhostIds(settings: CurrentSettings): GhostIds {
  const ids = settings.derive(({ ghostIds }) => createGhostIds(ghostIds));
  return {
    forDialled: (text) => ids().forDialled(text),
    format: (target, encoding) => ids().format(target, encoding),
    parse: (user) => ids().parse(user),
    displayName: (target) => ids().displayName(target),
    get withheld() {
      return ids().withheld;
    },
  };
}
