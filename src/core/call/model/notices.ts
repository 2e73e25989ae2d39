// Which lines a call leaves in its room.

export interface Notices {
  /** Why a call failed, where the client alone can only say that it did. */
  readonly failures: boolean;
  /** One line a call when it is over, so that the room is the call history. */
  readonly history: boolean;
}
