// Who is at the server, and whose sound comes in which of our sections.
import type { Attendee } from "./signal.ts";

const mostKnown = 1000;

export class Attendees {
  readonly #bySid = new Map<string, Attendee>();
  #tracks: ReadonlyMap<string, string> = new Map();
  /** Who is in which section; undefined: nobody that we know. */
  readonly #byMid = new Map<string, string | undefined>();

  /** What is new of some of them. */
  learn(attendees: readonly Attendee[]): void {
    for (const attendee of attendees) {
      if (attendee.isGone) this.#bySid.delete(attendee.sid);
      else if (this.#bySid.has(attendee.sid) || this.#bySid.size < mostKnown) this.#bySid.set(attendee.sid, attendee);
    }
    this.#byMid.clear();
  }

  /** Which track is in which section from now on, by mid. */
  place(tracks: ReadonlyMap<string, string>): void {
    this.#tracks = tracks;
    this.#byMid.clear();
  }

  isHere(identity: string): boolean {
    return [...this.#bySid.values()].some((each) => each.identity === identity);
  }

  /** Asked for each packet. */
  identityAt(mid: string): string | undefined {
    if (!this.#byMid.has(mid)) this.#byMid.set(mid, this.#find(this.#tracks.get(mid)));
    return this.#byMid.get(mid);
  }

  #find(track: string | undefined): string | undefined {
    return track === undefined
      ? undefined
      : [...this.#bySid.values()].find(({ tracks }) => tracks.includes(track))?.identity;
  }
}
