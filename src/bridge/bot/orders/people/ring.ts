// `ring`, `ring 20`, `ring default`: how long the person's clients ring.
import type { UserId } from "../../../../core/ids.ts";
import { longestRingS, shortestRingS } from "../../../choices/ring-times.ts";
import { asked, order, wrong, type Order } from "../order.ts";
import { reply } from "../reply.ts";

export interface RingOrderParts {
  readonly ringTimes: {
    of(person: UserId): number | undefined;
    choose(person: UserId, seconds: number | undefined): Promise<void>;
  };
}

type Wish = { readonly kind: "ask" | "default" } | { readonly kind: "choose"; readonly seconds: number };

const asEntry = "Your clients ring for as long as the number that is called says.";

export function ringOrder({ ringTimes }: RingOrderParts): Order {
  return order<Wish>({
    words: ["ring"],
    who: "people",
    behind: "[SECONDS | default]",
    does: "shows or says how long calls ring you, where the number that is called does not ring shorter",
    example: "ring 20",
    parse(rest) {
      if (rest === "") return asked({ kind: "ask" });
      if (/^default$/i.test(rest)) return asked({ kind: "default" });
      const [, digits] = /^(\d{1,4}) ?(?:s|sec|seconds?)?$/i.exec(rest) ?? [];
      const seconds = Number(digits);
      if (!(seconds >= shortestRingS && seconds <= longestRingS))
        return wrong(`For how many seconds? From ${shortestRingS} to ${longestRingS}, or “ring default”.`);
      return asked({ kind: "choose", seconds });
    },
    async run(wish, { person }) {
      if (wish.kind !== "ask") await ringTimes.choose(person, wish.kind === "choose" ? wish.seconds : undefined);
      const seconds = ringTimes.of(person);
      return reply(
        seconds === undefined
          ? asEntry
          : `Your clients ring for ${seconds} s at most, and then whoever is next. “ring default” ends that.`,
      );
    },
  });
}
