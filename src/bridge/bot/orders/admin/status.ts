// `status`: how the bridge is, on one screen.
import { describeCause } from "../../../../core/call/model/cause.ts";
import { nothing, order, type Order } from "../order.ts";
import { reply } from "../reply.ts";
import { stopLines, trunkLines, type AdminOrdersParts } from "./parts.ts";

export function statusOrder({ door, clock }: Omit<AdminOrdersParts, "noteAction">): Order {
  return order({
    words: ["status"],
    who: "admins",
    behind: "",
    does: "shows how the bridge is",
    example: "status",
    parse: nothing,
    async run() {
      const asked = Object.entries(door().readiness).map(async ([name, ask]) => {
        const { ready, detail } = await ask();
        return { name, ready, detail };
      });
      const failing = (await Promise.all(asked)).filter(({ ready }) => !ready);
      const closed = door().closed();
      const { used, limit } = door().limits().callsInAll;
      const open = failing.length > 0 ? "Not ready." : "Ready.";
      return reply(closed === undefined ? open : (describeCause(closed).words ?? closed), [
        `calls: ${used} of ${limit}`,
        ...stopLines({ door, clock }),
        ...failing.map(({ name, detail }) => `${name} is not ready: ${detail}`),
        ...trunkLines({ door, clock }).map((line) => `trunk ${line}`),
      ]);
    },
  });
}
