// A delayed leave that a client has left to the service: restarted while the client is at the media server, sent when it is not
// any more. A client whose browser dies is seen to leave the call so, within what the media server takes to miss it.

/** `gone`: the homeserver knows no such event any more. */
type Done = "done" | "gone";

export interface LeaveDuties {
  /** What the homeserver waits for a restart. */
  readonly timeoutMs: number;
  readonly act: (action: "restart" | "send") => Promise<Done>;
  /** Is the client at the media server? It may have been there before the leave was delegated. */
  readonly isThere: () => Promise<boolean>;
  /** Told once, when nothing is left to do. */
  readonly over: () => void;
}

/**
 * ```
 * awaited --joined--> present --left--> leaving --leave sent--> over
 *    |                   +-- event gone, dropped ----------------> over
 *    +-- lost, timeout, dropped ---------------------------------> over
 * ```
 */
type Phase = "awaited" | "present" | "leaving" | "over";

export interface DelegatedLeave {
  joined(): void;
  /** By its own word, or because the media server lost it. */
  left(how: "by intention" | "lost"): void;
  /** Another leave takes its place, or the service ends: nothing is sent. */
  drop(): void;
}

/** A part of the timeout, so that one lost restart is not the end. */
const RESTART_AT = 0.8;
const LOOK_EVERY_MS = 1000;
const TRY_AGAIN_MS = 1000;

export function keepLeave({ timeoutMs, act, isThere, over }: LeaveDuties): DelegatedLeave {
  let phase: Phase = "awaited";
  let timer: NodeJS.Timeout | undefined;
  const awaitedUntil = performance.now() + timeoutMs;

  const end = (): void => {
    if (phase === "over") return;
    phase = "over";
    clearTimeout(timer);
    over();
  };

  const after = (ms: number, then: () => Promise<void>): void => {
    if (phase === "over") return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      then().catch(() => after(TRY_AGAIN_MS, then));
    }, ms);
  };

  const look = async (): Promise<void> => {
    const there = await isThere();
    if (phase !== "awaited") return;
    if (there) leave.joined();
    else if (performance.now() > awaitedUntil) end();
    else after(LOOK_EVERY_MS, look);
  };

  const restart = async (): Promise<void> => {
    const done = await act("restart");
    if (phase !== "present") return;
    if (done === "gone") end();
    else after(timeoutMs * RESTART_AT, restart);
  };

  const send = async (): Promise<void> => {
    await act("send");
    end();
  };

  const leave: DelegatedLeave = {
    joined() {
      if (phase !== "awaited") return;
      phase = "present";
      after(0, restart);
    },
    left(how) {
      if (phase === "awaited" && how === "lost") end();
      if (phase !== "present") return;
      phase = "leaving";
      after(0, send);
    },
    drop: end,
  };
  after(LOOK_EVERY_MS, look);
  return leave;
}
