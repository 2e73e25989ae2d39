// `explain NUMBER [for @PERSON]`: where a call goes, or why it does not.
import { describeCause } from "../../../../core/call/model/cause.ts";
import { parseUserId, type UserId } from "../../../../core/ids.ts";
import { asked, order, wrong, type Order } from "../order.ts";
import { reply } from "../reply.ts";
import type { AdminOrdersParts } from "./parts.ts";

interface Question {
  readonly text: string;
  readonly person: UserId | undefined;
}

export function explainOrder({ door }: Pick<AdminOrdersParts, "door">): Order {
  return order<Question>({
    words: ["explain"],
    who: "admins",
    behind: "NUMBER [for @PERSON]",
    does: "says where a call to that number goes, or why it does not; calls nobody",
    example: "explain +44 1632 960123 for @alice:example.org",
    parse: (rest) => {
      const [, text = rest, name] = /^(.+?) for (@\S+)$/i.exec(rest) ?? [];
      const person = name === undefined ? undefined : parseUserId(name);
      if (text === "") return wrong("Which number?");
      return name !== undefined && person === undefined ? wrong("That is no Matrix user.") : asked({ text, person });
    },
    run({ text, person }) {
      const explained = door().explain({ text, person });
      if (explained?.way !== "dialled" || explained.found.kind === "not-dialable")
        return reply("That cannot be dialled.");
      const { verdict, trunks, classes, permission } = explained.found;
      const why = verdict.kind === "refused" ? (describeCause(verdict.cause).words ?? verdict.cause) : undefined;
      return reply(why === undefined ? "It is called." : `It is not called: ${why}`, [
        `kind of number: ${classes.join(", ") || "none"}`,
        ...trunks.map(({ trunk, sent }, at) => `${at === 0 ? "trunk" : "then"} ${trunk}, as ${sent}`),
        ...(person === undefined ? [] : [`permission of ${person}: ${permission ?? "no entry"}`]),
      ]);
    },
  });
}
