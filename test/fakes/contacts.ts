// A contact book in memory, and pictures of one byte.
import type { GhostProfilesParts } from "../../src/bridge/rooms/ghost-profiles.ts";
import type { Contact, ContactBook } from "../../src/ports/contacts.ts";

export class FakeContactBook implements ContactBook {
  list: readonly Contact[] = [];
  #listener: () => void = () => {};
  contacts(): readonly Contact[] {
    return this.list;
  }
  onChange(listener: () => void): void {
    this.#listener = listener;
  }
  change(...list: readonly Contact[]): void {
    this.list = list;
    this.#listener();
  }
}

export function profilesOf(book: ContactBook): Pick<GhostProfilesParts, "book" | "digest" | "telephonePicture"> {
  return {
    book,
    telephonePicture: (hue) => ({ type: "image/png", bytes: Uint8Array.of(hue % 256) }),
    digest: ({ bytes }) => bytes.join(" "),
  };
}
