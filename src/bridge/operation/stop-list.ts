// What was started, to be stopped in the opposite order.

export class StopList {
  readonly #stops: (() => Promise<void> | void)[] = [];
  #stopped: Promise<void> | undefined;

  add(stop: () => Promise<void> | void): void {
    this.#stops.push(stop);
  }

  /** Once, however often it is asked for. Goes on where one of them rejects, and then rejects with AggregateError. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const stop of this.#stops.toReversed()) {
      try {
        await stop();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, "the bridge could not be stopped cleanly");
  }
}
