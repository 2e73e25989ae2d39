// Ghosts: the Matrix users that stand for telephone numbers. Registers and names each one once: in the background after
// a lookup, at once when the homeserver or a person asks for it. Which ids are ghosts is decided in
// core/number/ghost-id.ts.
import { RecentMap } from "../../core/recent-map.ts";
import type { NumberKey, UserId } from "../../core/ids.ts";
import type { DialPlan } from "../../core/number/plan/dial-plan.ts";
import type { GhostIds } from "../../core/number/ghost/ghost-id.ts";
import { ghostNumber, ourUser, type GhostNumber, type OurUser } from "../../core/number/plan/number-key.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import type { GhostDirectory } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { GhostProfiles } from "./ghost-profiles.ts";
import type { RecalledRooms } from "./recalled-rooms.ts";

export interface GhostsParts {
  readonly ids: GhostIds;
  readonly plan: () => DialPlan;
  readonly homeserver: Pick<Homeserver, "register" | "setDisplayName" | "setPicture">;
  readonly directory: GhostDirectory;
  readonly recalled: Pick<RecalledRooms, "recallUser">;
  readonly profiles: Pick<GhostProfiles, "nameOf" | "pictureOf" | "reload">;
  readonly clock: Clock;
  readonly log: Log;
}

/** A ghost that was looked up, and what it stands for. */
type FoundGhost = Pick<GhostNumber, "user" | "target">;

/** Lookups may name more numbers than anyone calls: so many registrations run and so many more wait, the rest are left. */
const backgroundConcurrency = 4;
const backgroundWaiting = 64;
/** Making one costs some milliseconds of CPU: so long after one was begun the next one is, and answers have the rest. */
const backgroundRestMs = 50;
/** More than calls that wait for their rooms. */
const introducedLimit = 1_000;

export class Ghosts {
  readonly #parts: GhostsParts;
  /** One registration at a time for each ghost, shared by all who want it under the same name. */
  readonly #underway = new Map<UserId, { readonly name: string | undefined; readonly made: Promise<void> }>();
  /** What the ghosts of a number are to be called once they are wanted, the longest known first. */
  readonly #introduced = new RecentMap<NumberKey, string>(introducedLimit);
  /** In the order of their lookups. */
  readonly #waiting = new Map<UserId, FoundGhost>();
  #running = 0;
  #isDue = false;
  #restsUntilMs = 0;

  constructor(parts: GhostsParts) {
    this.#parts = parts;
  }

  /** True where the id is one that this bridge would give a number or SIP address. */
  isGhost(user: string): boolean {
    return this.#parts.ids.parse(user) !== undefined;
  }

  /** What the id stands for; undefined where it is no ghost's. */
  read(user: UserId): GhostNumber | undefined {
    const ours = this.ours(user);
    return ours.target && ours;
  }

  /** One of ours by their id; whoever has been read already is not read again. */
  ours(user: UserId | OurUser): OurUser {
    return typeof user === "string" ? ourUser(user, this.#parts.ids, this.#parts.plan()) : user;
  }

  /** Whether it was ever registered. */
  async isKnown(ghost: UserId): Promise<boolean> {
    return (await this.#parts.directory.find(ghost)) !== undefined;
  }

  /**
   * Whether the user exists, for a homeserver that asks: it does so for an invitation by anybody, so that nobody is
   * registered to answer it. One that is being prepared is waited for. Throws HomeserverError.
   */
  async exists(ghost: UserId): Promise<boolean> {
    if (this.#underway.has(ghost) || this.#waiting.has(ghost)) await this.ensure(ghost);
    return this.isKnown(ghost);
  }

  /**
   * Registers and names the ghost if that was never done. `known`: what its owner is called, as trusted; without one it
   * takes the name under which it was introduced, keeps the one it has, or is named by its number. Throws HomeserverError.
   */
  ensure(ghost: UserId | OurUser, known?: string): Promise<void> {
    const ours = this.ours(ghost);
    if (ours.target !== undefined) return this.#ensure(ours, known);
    return Promise.reject(new HomeserverError("M_NOT_FOUND", `${ours.user} stands for no number`, false));
  }

  #ensure(number: GhostNumber, known?: string): Promise<void> {
    const { user: ghost, key } = number;
    const name = known ?? this.#introduced.get(key);
    this.#introduced.delete(key);
    const underway = this.#underway.get(ghost);
    if (underway !== undefined && (name === undefined || name === underway.name)) return underway.made;
    const before = underway?.made.catch(() => {}) ?? Promise.resolve();
    const made = before
      .then(() => this.#make(number, name))
      .finally(() => {
        if (this.#underway.get(ghost)?.made === made) this.#underway.delete(ghost);
      });
    this.#underway.set(ghost, { name, made });
    return made;
  }

  /** What its owner is called, as trusted, for when the ghost is wanted: many who call are never put through. */
  introduce({ key }: Pick<GhostNumber, "key">, name: string | undefined): void {
    if (name === undefined) return;
    this.#introduced.set(key, name);
  }

  /** The contacts have changed: ghosts that there are get their new names and pictures, one after the other. Never rejects. */
  async contactsChanged(): Promise<void> {
    const { ids, directory, profiles, log } = this.#parts;
    const isChanged = profiles.reload();
    try {
      for (const ghost of await directory.list()) {
        const number = this.read(ghost);
        if (number === undefined || !isChanged(number.key)) continue;
        await this.#ensure(number, profiles.nameOf(number.key) ?? ids.displayName(number.target)).catch(
          (error: unknown) => log.warn("could not set a ghost's display name", { ghost, error }),
        );
      }
    } catch (error) {
      log.error("could not name ghosts after the contacts", { error });
    }
  }

  /**
   * Registers soon, without anybody waiting for it: behind the answers that are under way, and a few each second, however
   * many are looked up. Past the limit it is left for the invite.
   */
  prepare(ghost: FoundGhost): void {
    if (this.#underway.has(ghost.user) || this.#waiting.has(ghost.user)) return;
    if (this.#waiting.size + this.#running >= backgroundWaiting + backgroundConcurrency) {
      this.#parts.log.debug("ghost not registered ahead of its call: too many are waiting", {
        waiting: this.#waiting.size,
      });
      return;
    }
    this.#waiting.set(ghost.user, ghost);
    this.#soon();
  }

  #soon(): void {
    if (this.#isDue || this.#waiting.size === 0 || this.#running >= backgroundConcurrency) return;
    this.#isDue = true;
    const { clock } = this.#parts;
    const due = (): void => {
      this.#isDue = false;
      this.#begin();
      this.#soon();
    };
    if (clock.nowMs() < this.#restsUntilMs) clock.at(this.#restsUntilMs, due);
    else setImmediate(due);
  }

  #begin(): void {
    const [found] = this.#waiting.values();
    if (found === undefined) return;
    const { user: ghost, target } = found;
    this.#restsUntilMs = this.#parts.clock.nowMs() + backgroundRestMs;
    this.#waiting.delete(ghost);
    this.#running += 1;
    void this.#ensure(ghostNumber(ghost, target, this.#parts.plan()))
      .catch((error: unknown) => this.#parts.log.warn("could not register a ghost ahead of its call", { ghost, error }))
      .finally(() => {
        this.#running -= 1;
        this.#soon();
      });
  }

  async #make({ user: ghost, target, key }: GhostNumber, trustedName: string | undefined): Promise<void> {
    const { ids, homeserver, directory, recalled, profiles, log } = this.#parts;
    const known = await directory.find(ghost);
    const name = profiles.nameOf(key) ?? trustedName ?? known?.displayName ?? ids.displayName(target);
    const picture = (await profiles.pictureOf(key)) ?? known?.picture;
    if (known?.displayName === name && known.picture === picture) return;
    if (known === undefined) {
      const registered = await homeserver.register(ghost);
      // It is older than the database.
      if (registered === "known") await recalled.recallUser(ghost);
    }
    try {
      if (known?.displayName !== name) await homeserver.setDisplayName(ghost, name);
      if (picture !== undefined && known?.picture !== picture) await homeserver.setPicture(ghost, picture);
      await directory.save(ghost, { displayName: name, picture });
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      // A ghost without a name can be called; it is named at the next occasion.
      await directory.save(ghost, { displayName: undefined, picture: undefined });
      log.warn("could not set a ghost's display name", { ghost, error });
    }
  }
}
