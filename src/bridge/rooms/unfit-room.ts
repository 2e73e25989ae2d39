// Why there is no room for a call or a text, if it is not the homeserver that refuses.

export class UnfitRoomError extends Error {
  override readonly name = "UnfitRoomError";
  /** `BUSY`: each room that could be used has a running call. */
  readonly code: "ENCRYPTED" | "TOO_MANY_STRANGERS" | "BUSY";
  constructor(code: UnfitRoomError["code"], message: string) {
    super(message);
    this.code = code;
  }
}
