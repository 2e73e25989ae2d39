import { expect, it } from "vitest";
import { type Authority, tokenCheck } from "../../../src/matrix/appservice/hs-token.ts";

const token = "hs-token-0123456789";
const check = tokenCheck(token);

it.each<[authorization: string | undefined, legacy: string | undefined, Authority]>([
  [`Bearer ${token}`, undefined, "granted"],
  [`bearer  ${token} `, undefined, "granted"],
  [undefined, token, "granted"],
  // The header counts where there are both.
  [`Bearer ${token}`, "wrong", "granted"],
  ["Bearer wrong", token, "wrong"],
  [undefined, undefined, "missing"],
  [undefined, "", "wrong"],
  ["", undefined, "wrong"],
  ["Bearer", undefined, "wrong"],
  ["Bearer ", undefined, "wrong"],
  [token, undefined, "wrong"],
  [`Basic ${token}`, undefined, "wrong"],
  [`Bearer ${token.slice(0, -1)}`, undefined, "wrong"],
  [`Bearer ${token}x`, undefined, "wrong"],
  [`Bearer ${token.toUpperCase()}`, undefined, "wrong"],
  [`Bearer ${token}\0`, undefined, "wrong"],
  [undefined, `${token}\0\0`, "wrong"],
  [`Bearer ${token} ${token}`, undefined, "wrong"],
  [`Bearer ${token},${token}`, undefined, "wrong"],
])("%j with %j in the query", (authorization, legacy, authority) => {
  expect(check(authorization, legacy)).toBe(authority);
});

it.each([1, 127, 128, 129, 1_000])("a token of %i characters is told from every shorter and longer one", (length) => {
  const long = "x".repeat(length);
  const checkLong = tokenCheck(long);
  expect(
    [long, `${long}x`, `${long}\0`, long.repeat(3), `\0${long.slice(1)}`].map((text) => checkLong(undefined, text)),
  ).toEqual(["granted", "wrong", "wrong", "wrong", "wrong"]);
  expect(checkLong(undefined, long.slice(1))).toBe("wrong");
});

it("a token in other letters than ASCII is taken as the query gives it", () => {
  expect(tokenCheck("schlüssel-鍵")(undefined, "schlüssel-鍵")).toBe("granted");
});

it("a shorter token behind a longer one is wrong", () => {
  const stateful = tokenCheck("abc");
  expect(["abcdef", "ab", "abc", "", "abc"].map((text) => stateful(undefined, text))).toEqual([
    "wrong",
    "wrong",
    "granted",
    "wrong",
    "granted",
  ]);
});

it.each([
  ["longer than any", "x".repeat(1_000_000)],
  ["behind many spaces", `${" ".repeat(100_000)}x y`],
])("one that is %s is wrong, and at once", (_what, text) => {
  expect(check(`Bearer ${text}`, undefined)).toBe("wrong");
});
