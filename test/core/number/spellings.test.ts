import { expect, test } from "vitest";
import type { DialTarget } from "../../../src/core/number/ghost/ghost-id.ts";
import { commonSpellings } from "../../../src/core/number/plan/spellings.ts";
import { numberOf } from "./dialled.ts";

function spellings(dialled: string, country?: "GB" | "FR"): readonly string[] {
  return commonSpellings(numberOf(dialled), { country }).map((one) => ("dialled" in one ? one.dialled : "?"));
}

test("a number has the spellings that people dial, each once, its own first", () => {
  expect(spellings("+441632960106", "GB")).toEqual(["+441632960106", "01632960106", "00441632960106", "441632960106"]);
  expect(spellings("01632960106", "GB")[0]).toBe("01632960106");
  expect(spellings("+441632960106", "FR")).toEqual(["+441632960106", "00441632960106", "441632960106"]);
});

test("an extension, a SIP address and withheld callers have one", () => {
  const address: DialTarget = { kind: "address", user: "anna", host: "pbx.example.org" };
  expect(spellings("2001", "GB")).toEqual(["2001"]);
  expect(commonSpellings(address, { country: "GB" })).toEqual([address]);
  expect(commonSpellings({ kind: "withheld" }, { country: "GB" })).toEqual([{ kind: "withheld" }]);
});
