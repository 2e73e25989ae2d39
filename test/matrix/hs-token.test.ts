import { expect, it } from "vitest";
import { type Authority, tokenCheck } from "../../src/matrix/appservice/hs-token.ts";

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
  [`Bearer ${token} ${token}`, undefined, "wrong"],
  [`Bearer ${token},${token}`, undefined, "wrong"],
])("%j with %j in the query", (authorization, legacy, authority) => {
  expect(check(authorization, legacy)).toBe(authority);
});

it.each([
  ["longer than any", "x".repeat(1_000_000)],
  ["behind many spaces", `${" ".repeat(100_000)}x y`],
])("one that is %s is wrong, and at once", (_what, text) => {
  expect(check(`Bearer ${text}`, undefined)).toBe("wrong");
});
