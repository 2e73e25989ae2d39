// What the homeserver says that it can do beside the specification (`/versions`, unstable features): asked, not tried out.
import { z } from "zod";
import type { UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { HomeserverClient, Patience } from "./homeserver-client.ts";
import { failureOf } from "./request-failure.ts";

export interface FeaturesParts {
  readonly client: HomeserverClient;
  /** The application service itself, which the homeserver answers before any user of ours exists. */
  readonly sender: UserId;
  readonly clock: Clock;
  readonly log: Log;
}

export type Feature = "org.matrix.msc4140" | "org.matrix.msc4354";

/** A call may wait for it. */
const patience: Patience = { again: "never", giveUpAfterMs: 3_000 };
const keptMs = 10 * 60_000;
/** A homeserver that does not answer is about to. */
const unansweredForMs = 2_000;

const versionsForm = z.object({ unstable_features: z.record(z.string(), z.unknown()).catch({}) });

export class Features {
  readonly #parts: FeaturesParts;
  #kept: { readonly answer: Promise<Readonly<Record<string, unknown>> | undefined>; untilMs: number } | undefined;

  constructor(parts: FeaturesParts) {
    this.#parts = parts;
  }

  /** undefined: the homeserver does not answer. Never rejects. */
  async has(feature: Feature): Promise<boolean | undefined> {
    const answer = await this.#answer();
    return answer && answer[feature] === true;
  }

  #answer(): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { clock } = this.#parts;
    if (this.#kept !== undefined && this.#kept.untilMs > clock.nowMs()) return this.#kept.answer;
    const kept = { answer: this.#ask(), untilMs: clock.nowMs() + keptMs };
    this.#kept = kept;
    void kept.answer.then((answer) => {
      if (answer === undefined) kept.untilMs = clock.nowMs() + unansweredForMs;
    });
    return kept.answer;
  }

  async #ask(): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { client, sender, log } = this.#parts;
    try {
      const answer = await client.request(sender, { method: "GET", path: ["versions"] }, patience);
      return versionsForm.safeParse(answer).data?.unstable_features ?? {};
    } catch (cause) {
      log.debug("the homeserver does not say what it can do", { code: failureOf(cause).error.code });
      return undefined;
    }
  }
}
