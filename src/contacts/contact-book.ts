// The contacts of the configuration and of a vCard file, which is read again when it changes. A file that cannot be read
// leaves the contacts as they were.
import { readFileSync, statSync } from "node:fs";
import type { Contact, ContactBook, ContactSources, Picture } from "../ports/contacts.ts";
import type { Log } from "../ports/telemetry.ts";
import { longestPictureBytes, pictureOf } from "./picture.ts";
import { readVcards } from "./vcard.ts";

export interface ContactBookSettings extends ContactSources {
  /** How often the file is looked at. Asked for, because some file systems tell of no changes. */
  readonly lookEveryMs?: number;
  readonly log: Log;
}

/** Thousands of people with pictures. */
const longestFileBytes = 64 * 1024 * 1024;
const lookEveryMs = 2_000;

export class FileContactBook implements ContactBook {
  readonly #settings: Omit<ContactBookSettings, keyof ContactSources>;
  #sources: ContactSources;
  readonly #listeners = new Set<() => void>();
  #looking: NodeJS.Timeout | undefined;
  /** Of the file as it was read last. */
  #lastSeen: string | undefined;
  #entries: readonly Contact[] = [];
  #cards: readonly Contact[] = [];

  constructor(settings: ContactBookSettings) {
    this.#settings = settings;
    this.#sources = { vcard: settings.vcard, entries: settings.entries };
  }

  start(): void {
    const { vcard, entries } = this.#sources;
    const { lookEveryMs: interval = lookEveryMs } = this.#settings;
    this.#entries = entries.map(({ name, numbers, picture }) => ({
      name,
      numbers,
      picture: this.#readPicture(picture),
    }));
    if (vcard === undefined) return;
    this.#look(vcard);
    this.#looking = setInterval(() => this.#look(vcard), interval).unref();
  }

  stop(): void {
    clearInterval(this.#looking);
  }

  /** Other ones. Those of a file that cannot be read are none, unless it is the same file. */
  change(sources: ContactSources): void {
    this.stop();
    if (sources.vcard !== this.#sources.vcard) this.#cards = [];
    this.#lastSeen = undefined;
    this.#sources = sources;
    this.start();
    for (const listener of this.#listeners) listener();
  }

  contacts(): readonly Contact[] {
    return [...this.#entries, ...this.#cards];
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  #look(file: string): void {
    const seen = stateOf(file);
    if (seen === this.#lastSeen) return;
    this.#lastSeen = seen;
    this.#readCards(file);
  }

  #readCards(file: string): void {
    const { log } = this.#settings;
    const text = this.#read(file, longestFileBytes)?.toString("utf8");
    const found = text === undefined ? undefined : readVcards(text);
    if (found === undefined) {
      const why = text === undefined ? "it cannot be read or is too large" : "it holds no vCard";
      log.error("contacts are left as they were: the vCard file is no good", { file, why, setting: "contacts.vcard" });
      return;
    }
    for (const problem of found.problems.slice(0, 10)) log.warn("contact left out", { file, problem });
    this.#cards = found.contacts;
    log.info("contacts read", { file, contacts: found.contacts.length, leftOut: found.problems.length });
    for (const listener of this.#listeners) listener();
  }

  #readPicture(path: string | undefined): Picture | undefined {
    if (path === undefined) return undefined;
    const bytes = this.#read(path, longestPictureBytes);
    const picture = bytes && pictureOf(bytes);
    if (picture === undefined)
      this.#settings.log.warn(
        "picture of a contact left out: it has to be a PNG, JPEG, GIF or WebP file of 1 MB at most",
        {
          file: path,
          setting: "contacts.entries.picture",
        },
      );
    return picture;
  }

  #read(path: string, longestBytes: number): Buffer | undefined {
    try {
      return statSync(path).size > longestBytes ? undefined : readFileSync(path);
    } catch {
      return undefined;
    }
  }
}

/** Otherwise after each change, and after the file was replaced. */
function stateOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return "unreadable";
  }
}
