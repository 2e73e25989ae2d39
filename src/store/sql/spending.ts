// What calls have used of limits, charges of calls in progress, and bars.
import { parseScope, scopeKey } from "../../core/policy/spending/allowance.ts";
import type { Told } from "../../core/policy/spending/account.ts";
import { barKey } from "../../core/policy/spending/bar.ts";
import type { SpendingStore } from "../../ports/spending.ts";
import { readBar, readCharge, writeBar, writeCharge } from "../stored/stored-spending.ts";
import type { Access } from "./access.ts";
import type { Tables } from "./schema.ts";
import { statement } from "./statement.ts";

const listUsages = statement((db) => db.selectFrom("usage").selectAll());
const writeUsage = statement((db, { scope, window, seconds, money, told }: Tables["usage"]) =>
  db
    .insertInto("usage")
    .values({ scope, window, seconds, money, told })
    .onConflict((conflict) =>
      conflict.columns(["scope", "window"]).doUpdateSet((given) => ({
        seconds: given.ref("excluded.seconds"),
        money: given.ref("excluded.money"),
        told: given.ref("excluded.told"),
      })),
    ),
);
const forgetUsages = statement((db, { beforeMonth }: { beforeMonth: string }) =>
  db.deleteFrom("usage").where("window", "<", beforeMonth),
);
const listCharges = statement((db) => db.selectFrom("charge").selectAll());
const writeOne = statement((db, { id, charge }: Tables["charge"]) =>
  db
    .insertInto("charge")
    .values({ id, charge })
    .onConflict((conflict) => conflict.column("id").doUpdateSet((given) => ({ charge: given.ref("excluded.charge") }))),
);
const removeCharge = statement((db, { id }: Pick<Tables["charge"], "id">) =>
  db.deleteFrom("charge").where("id", "=", id),
);
const listBars = statement((db) => db.selectFrom("bar").selectAll().orderBy("id"));
const saveBar = statement((db, { id, bar }: Tables["bar"]) =>
  db
    .insertInto("bar")
    .values({ id, bar })
    .onConflict((conflict) => conflict.column("id").doUpdateSet((given) => ({ bar: given.ref("excluded.bar") }))),
);
const removeBar = statement((db, { id }: Pick<Tables["bar"], "id">) => db.deleteFrom("bar").where("id", "=", id));

const toldWords: ReadonlySet<string> = new Set<Told>(["nothing", "warned", "reached"]);

export function sqlSpending({ read, change, changeTogether, log }: Access): SpendingStore {
  return {
    async load() {
      const usages = (await read(listUsages, {})).flatMap(({ scope: key, window, seconds, money, told }) => {
        const scope = parseScope(key);
        if (scope === undefined || !toldWords.has(told)) {
          log?.error("what a limit has used cannot be read", { scope: key, window });
          return [];
        }
        return [{ scope, window, seconds, money, told: told as Told }];
      });
      const running = (await read(listCharges, {})).flatMap(({ id, charge }) => {
        const { value, problem } = readCharge(charge);
        if (problem !== undefined)
          log?.error("what a call in progress holds of limits cannot be read", { id, problem });
        return value ?? [];
      });
      return { usages, running };
    },
    save: ({ usages, running, settled }) =>
      changeTogether(async (run) => {
        for (const { scope, ...usage } of usages) await run(writeUsage, { scope: scopeKey(scope), ...usage });
        for (const one of running) await run(writeOne, { id: one.charge.id, charge: writeCharge(one) });
        for (const id of settled) await run(removeCharge, { id });
      }),
    async prune(beforeMonth) {
      await change(forgetUsages, { beforeMonth });
    },
    async bars() {
      return (await read(listBars, {})).flatMap(({ id, bar }) => {
        const { value, problem } = readBar(bar);
        if (problem !== undefined) log?.error("a bar of calls cannot be read", { id, problem });
        return value ?? [];
      });
    },
    async setBar(bar) {
      await change(saveBar, { id: barKey(bar), bar: writeBar(bar) });
    },
    async removeBar(bar) {
      await change(removeBar, { id: barKey(bar) });
    },
  };
}
