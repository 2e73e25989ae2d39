// What a command sees of its process, so that tests can run it as a shell does.

export type StopSignal = "SIGTERM" | "SIGINT";

/** A terminal with a person at it. */
export interface Dialogue {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  out(text: string): void;
  err(text: string): void;
  /** From now on signals come here instead of ending the process. */
  onSignal(listener: (signal: StopSignal | "SIGHUP") => void): void;
  /** Standard output is a screen; undefined: it goes to a file or a program. */
  readonly isScreen?: boolean;
  /** How wide it is. */
  readonly columns?: number | undefined;
  /** Undefined where nobody sits at it. */
  readonly dialogue?: Dialogue;
  /** At once. */
  exit(code: number): void;
}
