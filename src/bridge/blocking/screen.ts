// Whom a caller, or the sender of a text, reaches of those whom the called number rings.
import type { Cause } from "../../core/call/model/cause.ts";
import type { CallerBadge } from "../../core/policy/caller-badge.ts";
import type { CallerChoice } from "../../core/policy/caller.ts";
import type { UserId } from "../../core/ids.ts";
import type { RingStage, RingTarget } from "../../core/number/plan/ring-stage.ts";
import type { Blocks, CallerNumber } from "./blocks.ts";

/** What becomes of callers whom nobody has blocked. */
export interface CallerChoices {
  readonly anonymous: CallerChoice;
  readonly spam: CallerChoice;
  readonly failedVerification: CallerChoice;
}

interface ScreenParts {
  readonly quiet: { isQuiet(person: UserId): boolean };
  readonly blocks: Pick<Blocks, "refusalOf">;
  readonly choices: () => CallerChoices;
}

interface ScreenedCaller extends CallerNumber {
  readonly badge: CallerBadge | undefined;
  readonly spamChoice: CallerChoice | undefined;
}

export type Screened = (
  | { readonly kind: "passed"; readonly stages: readonly RingStage[] }
  | { readonly kind: "refused"; readonly cause: Cause }
) & {
  /** Who would be rung, and takes no calls now. */
  readonly missedBy: readonly UserId[];
};

export class Screen {
  readonly #parts: ScreenParts;

  constructor(parts: ScreenParts) {
    this.#parts = parts;
  }

  /** Without people who have blocked the caller, or take no calls now, and without stages for nobody. A room rings unless the caller is blocked for all. */
  look(caller: ScreenedCaller, stages: readonly RingStage[], what: "call" | "text"): Screened {
    const { blocks, quiet } = this.#parts;
    const forAll = blocks.refusalOf(caller) ?? this.#refusalOfKind(caller);
    if (forAll !== undefined) return { kind: "refused", cause: forAll, missedBy: [] };
    const refusalBy = (target: RingTarget): Cause | undefined =>
      target.kind === "person" ? (blocks.refusalOf(caller, target.person) ?? quietCause(target.person)) : undefined;
    const quietPeople = new Set<UserId>();
    const quietCause = (person: UserId): Cause | undefined => {
      if (what === "text" || !quiet.isQuiet(person)) return undefined;
      quietPeople.add(person);
      return "do-not-disturb";
    };
    const reached = stages
      .map((stage) => ({ ...stage, targets: stage.targets.filter((target) => refusalBy(target) === undefined) }))
      .filter(({ targets }) => targets.length > 0);
    const [cause] =
      reached.length > 0 ? [] : stages.flatMap(({ targets }) => targets.flatMap((one) => refusalBy(one) ?? []));
    const missedBy = [...quietPeople];
    return cause === undefined ? { kind: "passed", stages: reached, missedBy } : { kind: "refused", cause, missedBy };
  }

  /** Of two choices the stricter one counts. */
  #refusalOfKind({ withheld, badge, spamChoice }: ScreenedCaller): Cause | undefined {
    const { anonymous, spam, failedVerification } = this.#parts.choices();
    const byNumber = withheld ? anonymous : "allow";
    if (byNumber === "reject") return "anonymous-refused";
    const byBadge = badge === "spam" ? (spamChoice ?? spam) : badge === "forged" ? failedVerification : "allow";
    if (byBadge === "reject") return "spam-refused";
    if (byNumber === "voicemail") return "anonymous-to-voicemail";
    return byBadge === "voicemail" ? "spam-to-voicemail" : undefined;
  }
}
