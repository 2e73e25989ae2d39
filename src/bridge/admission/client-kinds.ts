// Which kinds of clients ring when the bridge calls somebody: the one that they use, and all while that is not known. The
// kinds are the matrix edge's; here they are names.
import type { RingStage } from "../../core/number/plan/ring-stage.ts";
import type { UserId } from "../../core/ids.ts";
import type { Homeserver } from "../../ports/homeserver.ts";
import { StoreError, type Settings } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";

export interface ClientKindsParts {
  /** What the configuration wants for everybody: `auto`, as each of them does; `both`; or one kind. */
  readonly wanted: () => string;
  readonly homeserver: Pick<Homeserver, "clientKinds">;
  readonly settings: Settings;
  readonly log: Log;
}

export class ClientKinds {
  readonly #parts: ClientKindsParts;
  /** What each person last called or answered with. */
  readonly #used = new Map<UserId, string>();

  constructor(parts: ClientKindsParts) {
    this.#parts = parts;
  }

  /** Remembers what these people used before the last restart. Throws StoreError. */
  async load(people: Iterable<UserId>): Promise<void> {
    for (const person of people) {
      const kind = await this.#parts.settings.get(keyOf(person));
      if (kind !== undefined) this.#used.set(person, kind);
    }
  }

  /** Of those whom the stages ring. */
  inStages(stages: readonly RingStage[]): readonly string[] {
    const people = stages.flatMap(({ targets }) =>
      targets.map((target) => (target.kind === "person" ? target.person : undefined)),
    );
    return this.#kindsOf(people);
  }

  of(person: UserId): readonly string[] {
    return this.#kindsOf([person]);
  }

  /** A person talks with this kind of client. */
  used(person: UserId, kind: string): void {
    const { settings, log } = this.#parts;
    if (this.#used.get(person) === kind) return;
    this.#used.set(person, kind);
    settings.set(keyOf(person), kind).catch((error: unknown) => {
      if (!(error instanceof StoreError)) throw error;
      log.warn("could not store with which kind of client somebody calls", { person, error });
    });
  }

  /** `undefined`: everybody in a room. */
  #kindsOf(people: readonly (UserId | undefined)[]): readonly string[] {
    const { wanted, homeserver } = this.#parts;
    const all = homeserver.clientKinds;
    const kind = wanted();
    if (kind !== "auto") return all.includes(kind) ? [kind] : all;
    const used = people.map((person) => person && this.#used.get(person));
    // One that the bridge had in an earlier configuration is as good as none.
    const isKnown = used.length > 0 && used.every((kind) => kind !== undefined && all.includes(kind));
    return isKnown ? all.filter((kind) => used.includes(kind)) : all;
  }
}

function keyOf(person: UserId): string {
  return `client ${person}`;
}
