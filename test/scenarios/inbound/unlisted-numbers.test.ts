// A telephone calls a number that is not in the table: what its trunk gets, and what the admin reads.
import { expect, test } from "vitest";
import { arrivalOf } from "../../fakes/arrivals.ts";
import { TestBridge } from "../test-bridge.ts";

const line = "call refused: inbound.numbers has no entry for the called number on this trunk";
const linesOf = (bridge: TestBridge) => bridge.telemetry.lines.filter(({ message }) => message === line);

test.each([
  ["+441632960777", "+441632960777"],
  ["01632960777", "+441632960777"],
  ["777", "777"],
  ["reception", "reception"],
])("%s is refused, and the line says how the trunk wrote it and what an entry would be", async (called, number) => {
  const bridge = new TestBridge();
  await bridge.arrive({ called });
  expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 404 });
  expect(linesOf(bridge)).toMatchObject([{ level: "warn", fields: { trunk: "main", called, number } }]);
});

test("a number that is called a hundred times leaves one line a minute, and another number its own", async () => {
  const bridge = new TestBridge();
  for (let call = 0; call < 100; call += 1) bridge.arrivals.invited(arrivalOf({ called: "01632960777" }));
  bridge.arrivals.invited(arrivalOf({ called: "01632960778" }));
  await bridge.quiet();
  expect(linesOf(bridge).map(({ fields }) => fields?.["number"])).toEqual(["+441632960777", "+441632960778"]);
  await bridge.passTime(60_000);
  await bridge.arrive({ called: "01632960777" });
  expect(linesOf(bridge).at(-1)).toMatchObject({ fields: { refusedSoFar: 101 } });
});

test("a scanner that calls every number there is costs no memory: only the latest hundred are told apart", async () => {
  const bridge = new TestBridge();
  const call = (number: number) => bridge.arrivals.invited(arrivalOf({ called: `0163296${number}` }));
  for (let number = 1_000; number <= 1_100; number += 1) call(number);
  call(1_100);
  call(1_000);
  await bridge.quiet();
  expect(linesOf(bridge)).toHaveLength(102);
});
