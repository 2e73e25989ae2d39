// All that the bridge needs to show numbers: contacts, pictures, and how to tell pictures apart.
import { FileContactBook, type ContactBookSettings } from "./contact-book.ts";
import { digest } from "./picture.ts";
import { telephonePicture } from "./telephone-picture.ts";

export interface Contacts {
  readonly book: FileContactBook;
  readonly digest: typeof digest;
  readonly telephonePicture: typeof telephonePicture;
}

/** Reads the contacts, and watches their file until the book is stopped. */
export function openContacts(settings: ContactBookSettings): Contacts {
  const book = new FileContactBook(settings);
  book.start();
  return { book, digest, telephonePicture };
}
