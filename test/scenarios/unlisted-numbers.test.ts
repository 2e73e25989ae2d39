// A telephone calls a number that is not in the table: what its trunk gets, and what the admin reads.
import { expect, test } from "vitest";
import { arrivalOf } from "../fakes/arrivals.ts";
import { House } from "./house.ts";

const line = "call refused: inbound.numbers has no entry for the called number on this trunk";
const linesOf = (house: House) => house.telemetry.lines.filter(({ message }) => message === line);

test.each([
  ["+441632960777", "+441632960777"],
  ["01632960777", "+441632960777"],
  ["777", "777"],
  ["reception", "reception"],
])("%s is refused, and the line says how the trunk wrote it and what an entry would be", async (called, number) => {
  const house = new House();
  await house.arrive({ called });
  expect(house.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 404 });
  expect(linesOf(house)).toMatchObject([{ level: "warn", fields: { trunk: "main", called, number } }]);
});

test("a number that is called a hundred times leaves one line a minute, and another number its own", async () => {
  const house = new House();
  for (let call = 0; call < 100; call += 1) house.arrivals.invited(arrivalOf({ called: "01632960777" }));
  house.arrivals.invited(arrivalOf({ called: "01632960778" }));
  await house.quiet();
  expect(linesOf(house).map(({ fields }) => fields?.["number"])).toEqual(["+441632960777", "+441632960778"]);
  await house.passTime(60_000);
  await house.arrive({ called: "01632960777" });
  expect(linesOf(house).at(-1)).toMatchObject({ fields: { refusedSoFar: 101 } });
});

test("a scanner that calls every number there is costs no memory: only the latest hundred are told apart", async () => {
  const house = new House();
  const call = (number: number) => house.arrivals.invited(arrivalOf({ called: `0163296${number}` }));
  for (let number = 1_000; number <= 1_100; number += 1) call(number);
  call(1_100);
  call(1_000);
  await house.quiet();
  expect(linesOf(house)).toHaveLength(102);
});
