// `console`: a link that logs an admin in to the console.
import type { UserId } from "../../../../core/ids.ts";
import { nothing, order, type Order } from "../order.ts";
import { reply } from "../reply.ts";

export interface ConsoleLinks {
  /** Undefined: there is no console. */
  link(person: UserId): string | undefined;
  readonly minutes: number;
}

export function consoleOrder({ consoleLogins }: { readonly consoleLogins: ConsoleLinks }): Order {
  return order({
    words: ["console"],
    who: "admins",
    behind: "",
    does: "gives you a link that logs you in to the console of the bridge",
    example: "console",
    parse: nothing,
    run(_, { person }) {
      const link = consoleLogins.link(person);
      if (link === undefined) return reply("There is no console here: see admin.console in the configuration.");
      return reply(
        `${link} – this link logs whoever opens it in to the console as you. It works once, for ${consoleLogins.minutes} minutes.`,
      );
    },
  });
}
