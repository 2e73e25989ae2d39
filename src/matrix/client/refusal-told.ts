// Ladders show what the homeserver did not take.
import { HomeserverError } from "../../ports/homeserver.ts";
import type { LadderTap, MatrixSaid } from "../../ports/ladders/tap.ts";

/** For `catch`: the error goes on. */
export function refusalTold(said: MatrixSaid, tap: LadderTap | undefined): (error: unknown) => never {
  return (error) => {
    tap?.matrixRefused({ said, code: error instanceof HomeserverError ? error.code : "" });
    throw error;
  };
}
