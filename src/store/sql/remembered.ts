// Answers of the database that are asked for again and again. Nobody else writes to it, so an answer stands until something of
// ours changes it: whoever asks for such a change forgets the answer first, and whoever asks after that asks the database.
// While the connection was lost, another bridge may have had the database.
import type { Access } from "./access.ts";

/** Of each kind of question. More are forgotten together: each is only one query away. */
const limit = 10_000;

export class Remembered<Key, Answer> {
  readonly #answers = new Map<Key, Promise<Answer>>();

  constructor(onLost: Access["onLost"]) {
    onLost(() => this.#answers.clear());
  }

  get(key: Key, ask: () => Promise<Answer>): Promise<Answer> {
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    return this.set(key, ask());
  }

  /** What the answer is from now on. */
  set(key: Key, answer: Promise<Answer>): Promise<Answer> {
    this.#answers.set(key, answer);
    answer.catch(() => {
      if (this.#answers.get(key) === answer) this.#answers.delete(key);
    });
    if (this.#answers.size > limit) this.#answers.clear();
    return answer;
  }

  forget(key: Key): void {
    this.#answers.delete(key);
  }
}
