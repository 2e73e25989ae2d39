// Exit codes. A service manager should not restart after `usage` and `config`.

export const exitCode = {
  /** Done, or stopped as asked. */
  ok: 0,
  /** A defect: an uncaught error, or a stop that took too long. */
  fault: 1,
  /** `doctor` has found something broken. */
  unwell: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The configuration or the registration is wrong, or can never work with this homeserver. */
  config: 3,
  /** Something outside refused the start or took the database over, and may not do so the next time. */
  start: 4,
} as const;
