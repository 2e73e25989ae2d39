// The README's figures of the first call: test/e2e/deployment/quick-start.test.ts measures them, and here they are added up.
import { expect, test } from "vitest";
import { readFirstCall, totalSeconds, withFirstCall } from "../../dev/docs/first-call.ts";
import { textOf } from "./pages.ts";

const readme = textOf("README.md");
const claimed = readFirstCall(readme);

test("what the README says is what its own figures add up to", () => {
  expect(withFirstCall(readme, claimed)).toBe(readme);
  expect(withFirstCall(readme, { ...claimed, machineSeconds: claimed.machineSeconds + 1 })).not.toBe(readme);
});

test("the first call takes ten steps and five minutes at most, and as many steps as the quick start has", () => {
  expect(claimed.steps).toBe(textOf("docs/quick-start.md").match(/^## \d+\. /gm)?.length);
  expect(claimed.steps).toBeLessThanOrEqual(10);
  expect(totalSeconds(claimed)).toBeLessThanOrEqual(300);
});
