// What came of reading the configuration again. Paths and words, never a value.
export type ReloadReport =
  | {
      readonly kind: "reloaded";
      /** Settings whose new values hold now. */
      readonly applied: readonly string[];
      /** Settings that keep their former values until the bridge is started again. */
      readonly forRestart: readonly string[];
      /** Trunks that keep their former settings until their last call has ended. */
      readonly forLastCall: readonly string[];
    }
  /** Nothing has changed. One line for each problem, with its place in the file. */
  | { readonly kind: "refused"; readonly problems: readonly string[] };
