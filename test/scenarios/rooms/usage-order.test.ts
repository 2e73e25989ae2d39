// People ask the bot how much they have called, and what is left.
import { expect, test } from "vitest";
import { noLimits } from "../../../src/core/policy/spending/allowance.ts";
import { RateTable } from "../../../src/core/policy/spending/rate-table.ts";
import { exampleSpending } from "../settings.ts";
import { accepted, ann, bob, type TestBridge } from "../test-bridge.ts";
import { lobbyOf, write } from "./lobby.ts";

const rates = new RateTable([
  { prefix: "44", name: "UK", perMinute: 600_000, connection: 0, initialS: 60, followingS: 60, trunk: undefined },
]);
const everybody = {
  day: { seconds: 600, money: undefined },
  month: { seconds: undefined, money: 20_000_000 },
};

/** Ann talks for 125 seconds, and goes on. */
async function talk(bridge: TestBridge): Promise<void> {
  await bridge.ring();
  await bridge.sip(accepted);
  await bridge.passTime(125_000);
}

test("usage shows minutes and money of today and this month, what is left, and when it begins anew", async () => {
  const bridge = await lobbyOf({ admins: [bob], spending: { ...exampleSpending, everybody, rates } });
  const left = (text: string | undefined) => text?.split("\n").slice(3);
  expect(left(await write(bridge, "usage"))).toEqual([
    "• today: 0 minutes of 10 minutes, 10 minutes left",
    "• this month: 0.00 GBP of 20.00 GBP, 20.00 GBP left",
    "A new day begins at 00:00 on Saturday 16 January (Europe/London), a new month at 00:00 on Monday 1 February (Europe/London).",
  ]);
  await talk(bridge);
  expect(left(await write(bridge, "usage"))?.slice(0, -1)).toEqual([
    "• today: 2 minutes of 10 minutes, 7 minutes left",
    "• today: 1.80 GBP",
    "• this month: 2 minutes",
    "• this month: 1.80 GBP of 20.00 GBP, 18.20 GBP left",
  ]);
  await bridge.reload({
    spending: { ...exampleSpending, everybody: { ...everybody, day: { seconds: 60, money: undefined } }, rates },
  });
  expect(await write(bridge, "usage")).toContain("today: 2 minutes of 1 minute, 0 minutes left");
});

test("usage shows nobody else's, and no limit where there is none", async () => {
  const bridge = await lobbyOf({
    admins: [bob],
    spending: { ...exampleSpending, bridge: { ...noLimits, ...everybody } },
  });
  await talk(bridge);
  expect(await write(bridge, "usage")).toMatch(/today: 2 minutes\n• this month: 2 minutes$/);
  bridge.homeserver.memberList = bridge.homeserver.memberList?.map((one) =>
    one.user === ann ? { ...one, user: bob } : one,
  );
  expect(await write(bridge, "usage", bob)).toBe(
    "Your calls to telephones:\n• in the last day: 0 calls, 0 answered, 0 s\n• in the last 30 days: 0 calls, 0 answered, 0 s",
  );
});
