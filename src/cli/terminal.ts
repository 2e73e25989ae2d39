// What a command sees of its process, so that tests can run it as a shell does.

export type StopSignal = "SIGTERM" | "SIGINT" | "SIGHUP";

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  out(text: string): void;
  err(text: string): void;
  /** From now on signals come here instead of ending the process. */
  onSignal(listener: (signal: StopSignal) => void): void;
  /** At once. */
  exit(code: number): void;
}
