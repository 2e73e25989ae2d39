// docs/orders.md has every order that the bot knows, in its own words.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createOrders } from "../../src/bridge/bot/all-orders.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/orders.md"), "utf8");
// Only carrying them out takes parts.
const orders = createOrders({} as never, () => expect.fail("nothing is dialled"));

const rowsOf = (forAdmins: boolean): string =>
  orders
    .filter(({ who }) => (who === "admins") === forAdmins)
    .map(({ words, behind, does }) => {
      const others = words.slice(1).map((word) => `\`${word}\``);
      const usage = `\`${`${words[0]} ${behind}`.trim().replaceAll("|", String.raw`\|`)}\``;
      return `| ${usage}${others.length > 0 ? ` (also ${others.join(", ")})` : ""} | ${does} |`;
    })
    .join("\n");

test.each([
  ["people", false],
  ["admins", true],
])("the orders of %s stand there as the bot's help says them", (_, forAdmins) => {
  expect(page).toContain(rowsOf(forAdmins));
});

test("each example is an order", () => {
  for (const { words, example } of orders) expect(words.some((word) => example.startsWith(word))).toBe(true);
});
