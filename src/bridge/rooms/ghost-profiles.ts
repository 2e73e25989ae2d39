// A ghost's name and picture: from the admin's contacts, otherwise a telephone in a colour of its own. Each picture is
// uploaded once and recognised by its content.
import type { NumberKey } from "../../core/ids.ts";
import type { DialPlan } from "../../core/number/plan/dial-plan.ts";
import type { GhostIds } from "../../core/number/ghost/ghost-id.ts";
import { hueOf } from "../../core/number/ghost/hue.ts";
import { numberKey } from "../../core/number/plan/number-key.ts";
import type { Contact, ContactBook, Picture } from "../../ports/contacts.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import type { Settings } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";

export interface GhostProfilesParts {
  readonly ids: GhostIds;
  readonly plan: () => DialPlan;
  readonly book: ContactBook;
  readonly telephonePicture: (hue: number) => Picture;
  /** The same for the same picture, and for no other. */
  readonly digest: (picture: Picture) => string;
  readonly homeserver: Pick<Homeserver, "upload">;
  readonly settings: Settings;
  readonly log: Log;
}

export class GhostProfiles {
  readonly #parts: GhostProfilesParts;
  #contacts: ReadonlyMap<NumberKey, Contact>;
  /** Address of each picture by its digest; undefined: the homeserver did not take it, and is not asked again before the next start. */
  readonly #uploads = new Map<string, Promise<string | undefined>>();
  readonly #telephones = new Map<number, Picture>();

  constructor(parts: GhostProfilesParts) {
    this.#parts = parts;
    this.#contacts = this.#index();
  }

  /** What the contacts call this number. */
  nameOf(key: NumberKey): string | undefined {
    return this.#contacts.get(key)?.name;
  }

  /** Address of the picture of the number's ghosts (`mxc:`); undefined where the homeserver takes none. Never rejects. */
  pictureOf(key: NumberKey): Promise<string | undefined> {
    const picture = this.#contacts.get(key)?.picture ?? this.#telephone(hueOf(key));
    const digest = this.#parts.digest(picture);
    const upload = this.#uploads.get(digest) ?? this.#upload(digest, picture);
    this.#uploads.set(digest, upload);
    return upload;
  }

  /** The contacts have changed: gives a test of which numbers' ghosts look or are called otherwise now. */
  reload(): (key: NumberKey) => boolean {
    const before = this.#contacts;
    this.#contacts = this.#index();
    const after = this.#contacts;
    return (key) => !this.#isSame(before.get(key), after.get(key));
  }

  #isSame(one: Contact | undefined, other: Contact | undefined): boolean {
    const { digest } = this.#parts;
    const pictures = [one?.picture, other?.picture].map((picture) => picture && digest(picture));
    return one?.name === other?.name && pictures[0] === pictures[1];
  }

  #index(): ReadonlyMap<NumberKey, Contact> {
    const { ids, plan, book } = this.#parts;
    const contacts = new Map<NumberKey, Contact>();
    for (const contact of book.contacts()) {
      for (const number of contact.numbers) {
        const found = ids.forDialled(number);
        if (found.kind !== "ghost") continue;
        const key = numberKey(found.target, plan());
        if (!contacts.has(key)) contacts.set(key, contact);
      }
    }
    return contacts;
  }

  #telephone(hue: number): Picture {
    const known = this.#telephones.get(hue) ?? this.#parts.telephonePicture(hue);
    this.#telephones.set(hue, known);
    return known;
  }

  async #upload(digest: string, picture: Picture): Promise<string | undefined> {
    const { homeserver, settings, log } = this.#parts;
    const key = `picture ${digest}`;
    try {
      const known = await settings.get(key);
      if (known !== undefined) return known;
      const address = await homeserver.upload(picture.bytes, picture.type);
      await settings.set(key, address);
      return address;
    } catch (error) {
      const code = error instanceof HomeserverError ? error.code : undefined;
      log.warn("could not upload a number's picture", { type: picture.type, code, error });
      return undefined;
    }
  }
}
