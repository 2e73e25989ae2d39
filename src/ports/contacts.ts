// Who is behind a number, as the admin has written it down.

/** A small picture, as a homeserver takes it. */
export interface Picture {
  readonly type: "image/png" | "image/jpeg" | "image/gif" | "image/webp";
  readonly bytes: Uint8Array;
}

export interface Contact {
  readonly name: string;
  /** As written: any spelling. */
  readonly numbers: readonly string[];
  readonly picture: Picture | undefined;
}

export interface ContactBook {
  /** All of the moment. Of two with one number the first counts. */
  contacts(): readonly Contact[];
  /** Calls `listener` each time after they have changed. */
  onChange(listener: () => void): void;
}

/** A contact as the configuration has it. */
interface ContactEntry {
  readonly name: string;
  readonly numbers: readonly string[];
  /** Path of a picture. */
  readonly picture?: string | undefined;
}

export interface ContactSources {
  /** Path of a vCard file; undefined: there is none. */
  readonly vcard?: string | undefined;
  /** These count before those of the file. */
  readonly entries: readonly ContactEntry[];
}
