// Messages for one device alone (client-server API, "Send-to-device messaging"), besides those that carry the keys of rooms:
// from and to users of ours, end-to-end encrypted.
import type { UserId } from "../../core/ids.ts";
import type { GhostDevice } from "./ghost-device.ts";
import type { HearLetter, Letter } from "./protocol.ts";
import type { Pushing } from "./pushing.ts";

export class Letters {
  readonly #deviceOf: (user: UserId) => GhostDevice;
  readonly #pushing: Pushing;
  #hear: HearLetter = () => undefined;

  constructor(deviceOf: (user: UserId) => GhostDevice, pushing: Pushing) {
    this.#deviceOf = deviceOf;
    this.#pushing = pushing;
  }

  /** They come by themselves: nothing need be fetched. */
  get arePushed(): boolean {
    return this.#pushing.sinceMs !== undefined;
  }

  listen(hear: HearLetter): void {
    this.#hear = hear;
  }

  /** For devices alone: a letter has been opened. */
  deliver(to: UserId, letter: Letter): void {
    this.#hear(to, letter);
  }

  /** The device to which letters for the user go. Throws CryptoError, HomeserverError. */
  address(user: UserId): Promise<string> {
    return this.#deviceOf(user).id();
  }

  /** Throws CryptoError, HomeserverError. */
  write(from: UserId, to: UserId, device: string, type: string, content: object): Promise<void> {
    return this.#deviceOf(from).write(to, device, type, content);
  }

  /** Asks whether there are any. Throws CryptoError, HomeserverError. */
  fetch(user: UserId): Promise<void> {
    return this.#deviceOf(user).fetchLetters();
  }
}
