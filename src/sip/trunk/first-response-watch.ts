// How long the server of a trunk may say nothing at all to an INVITE. A server that lives says 100 within 200 ms
// (RFC 3261 s17.2.1); Timer B would let a caller listen to nothing for 32 s before anything else is tried.
import type { Clock } from "../../ports/clock.ts";

export interface FirstResponseWatchOptions {
  readonly clock: Clock;
  readonly t1Ms: number;
  /** Whether the server's machine says that nothing listens at its port. */
  readonly refused: () => Promise<boolean>;
  /** Whether there is another server to try. */
  readonly another: () => Promise<boolean>;
  /** Once, unless the watch has been ended. */
  readonly silent: (fault: "timeout" | "transport", message: string) => void;
}

/** In T1: the INVITE went out three times more, or four. With T1 of 500 ms that is 4 s and 10 s. */
const NEXT_SERVER_AFTER = 8;
const LAST_SERVER_AFTER = 20;

/** Watches from now on; gives the function that ends the watch, for the first response. */
export function watchFirstResponse({ clock, t1Ms, refused, another, silent }: FirstResponseWatchOptions): () => void {
  const startMs = clock.nowMs();
  let over = false;
  const end = (): void => {
    over = true;
    for (const cancel of timers) cancel();
  };
  const tell = (fault: "timeout" | "transport", message: string): void => {
    if (over) return;
    end();
    silent(fault, message);
  };
  const tellIf = (asked: Promise<boolean>, fault: "timeout" | "transport", message: string): void => {
    asked.then(
      (yes) => {
        if (yes) tell(fault, message);
      },
      // Nothing learnt: the server keeps its time.
      () => {},
    );
  };
  const nextMs = NEXT_SERVER_AFTER * t1Ms;
  const lastMs = LAST_SERVER_AFTER * t1Ms;
  const timers = [
    clock.at(startMs + t1Ms, () => tellIf(refused(), "transport", "nothing listens at the server's port")),
    clock.at(startMs + nextMs, () => tellIf(another(), "timeout", `no response to INVITE within ${nextMs} ms`)),
    clock.at(startMs + lastMs, () => tell("timeout", `no response to INVITE within ${lastMs} ms`)),
  ];
  return end;
}
