/** What every session of a worker shares. */
export interface WorkerSettings {
  readonly rtp: { readonly host: string; readonly advertisedHost: string };
  readonly ice: {
    readonly bindHost: string | undefined;
    readonly advertisedHosts: readonly string[];
    readonly portMin: number | undefined;
    readonly portMax: number | undefined;
  };
  readonly silenceTimeoutMs: number;
  readonly reconnectTimeoutMs: number;
}
