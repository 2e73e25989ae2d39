// The bridge's own front door, for those inside who serve admins: it is made last of all.
import type { BridgeDoor } from "../../ports/admin/admin-door.ts";

export class FrontDoor {
  #door: BridgeDoor | undefined;

  open(door: BridgeDoor): void {
    this.#door = door;
  }

  /** Not before the bridge is made. */
  readonly door = (): BridgeDoor => {
    if (this.#door === undefined) throw new Error("the bridge is not made yet");
    return this.#door;
  };
}
