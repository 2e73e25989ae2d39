// `help`: every order that the person may give.
import { nothing, order, type Order } from "../order.ts";
import { reply, type Item, type Reply } from "../reply.ts";

export function helpOrder(all: () => readonly Order[]): Order {
  return order({
    words: ["help"],
    who: "anybody",
    behind: "",
    does: "shows this",
    example: "help",
    parse: nothing,
    run: (_, { isAdmin }) => helpReply(all(), isAdmin),
  });
}

export function helpReply(orders: readonly Order[], isAdmin: boolean): Reply {
  const shown = orders.filter(({ who }) => who !== "admins" || isAdmin);
  const items = shown.map(({ words: [name], behind, does }): Item => ({
    code: `${name} ${behind}`.trim(),
    text: does,
  }));
  return reply("I connect Matrix calls to telephones. Write me:", items, "Example: call +44 1632 960123");
}
