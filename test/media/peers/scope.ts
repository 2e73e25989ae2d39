// Tests that wait for real time run side by side, so each ends what it has opened by itself.
import { test as plain } from "vitest";

/** Ends what a test has opened, in the reverse order. */
export class Scope {
  readonly #closings: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closings.unshift(close);
  }

  async end(): Promise<void> {
    for (const close of this.#closings.splice(0)) await close();
  }
}

export const test = plain.extend<{ scope: Scope }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are wanted from the pattern
  scope: async ({}, use) => {
    const scope = new Scope();
    await use(scope);
    await scope.end();
  },
});
