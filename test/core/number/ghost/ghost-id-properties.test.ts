// Whatever is typed, and whatever ids come: what holds of all ids of ghosts.
import fc from "fast-check";
import { expect, test } from "vitest";
import { anyText } from "../../../arbitraries/any-text.ts";
import { parseUserId, type UserId } from "../../../../src/core/ids.ts";
import type { DialTarget } from "../../../../src/core/number/ghost/ghost-id.ts";
import { keysEntered, restorePlus } from "../../../../src/core/number/entered.ts";
import { numberOf } from "../dialled.ts";
import { encodings, sipDomains, ghostIds, encoding } from "./ghost-ids.ts";

const typedNumber = fc
  .string({ unit: fc.constantFrom(...Array.from("0123456789*#+ ()-./")), minLength: 1, maxLength: 40 })
  .filter((text) => ghostIds().forDialled(text).kind === "ghost");

const host = fc.constantFrom(...sipDomains, "example.com", "192.0.2.1", "[2001:db8::1]");

const addressUser = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20 }),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }),
  fc.string({ unit: fc.constantFrom(...Array.from("%=@:;+/*#aA0 é😀")), minLength: 1, maxLength: 12 }),
);

const target: fc.Arbitrary<DialTarget> = fc.oneof(
  typedNumber.map((text): DialTarget => numberOf(keysEntered(restorePlus(text)) ?? "")),
  fc.record({ kind: fc.constant("address" as const), user: addressUser, host }),
  fc.constant<DialTarget>({ kind: "withheld" }),
);

test("every target comes back from each of its ids, whatever is configured", () => {
  fc.assert(
    fc.property(target, encoding, encoding, (wanted, written, configured) => {
      const user = ghostIds(configured).format(wanted, written);
      fc.pre(user !== undefined);
      expect(user).toBe(ghostIds(written).format(wanted));
      expect(ghostIds(configured).parse(user)).toEqual(wanted);
    }),
    { numRuns: 1000 },
  );
});

test("two targets never share an id", () => {
  fc.assert(
    fc.property(target, target, encoding, encoding, (one, other, first, second) => {
      const user = ghostIds(first).format(one);
      fc.pre(user !== undefined && JSON.stringify(one) !== JSON.stringify(other));
      expect(ghostIds(second).format(other)).not.toBe(user);
    }),
  );
});

test("every id is a user id of lower-case characters that need no further escaping, and 255 bytes at most", () => {
  fc.assert(
    fc.property(target, encoding, (wanted, written) => {
      const user = ghostIds(written).format(wanted);
      fc.pre(user !== undefined);
      expect(parseUserId(user)).toBe(user);
      expect(user).toMatch(written === "percent" ? /^@[a-z0-9._+%-]+:example\.org$/ : /^@[a-z0-9._+=-]+:example\.org$/);
    }),
  );
});

/** Ways in which somebody might write the same id a little differently. */
const disturbed = fc
  .record({
    wanted: target,
    written: encoding,
    at: fc.nat(),
    char: fc.string({ unit: fc.constantFrom(...Array.from("%=@:+/*#aAfF024 ")), maxLength: 3 }),
    drop: fc.nat(2),
  })
  .map(({ wanted, written, at, char, drop }) => {
    const user = ghostIds(written).format(wanted) ?? "@_sip_:example.org";
    const start = "@_sip_".length + (at % Math.max(1, user.length - "@_sip_:example.org".length + 1));
    return user.slice(0, start) + char + user.slice(start + drop);
  });

/** What the id of a number holds before the @, unescaped. */
function textIn(user: string): string {
  const [, rest = ""] = /^@_sip_(.*)[%=]40sip\.example\.org:/.exec(user) ?? [];
  return decodeURIComponent(decodeURIComponent(rest.replaceAll("=", "%")));
}

test("what is understood is exactly what is written, now or by an earlier version: no other spelling exists", () => {
  const spelling = fc.oneof(
    disturbed,
    fc
      .string({ unit: fc.constantFrom(...Array.from("%=40sip.example2a5+")), maxLength: 40 })
      .map((rest) => `@_sip_${rest}:example.org`),
    anyText(),
  );
  fc.assert(
    fc.property(spelling, encoding, (user, configured) => {
      const ids = ghostIds(configured);
      const found = ids.parse(user);
      const isEarlier = found?.kind === "number" && /[() ./-]/.test(textIn(user));
      if (found && !isEarlier) expect(encodings.map((written) => ids.format(found, written))).toContain(user as UserId);
    }),
    { numRuns: 3000 },
  );
});

test("whatever is typed, nothing throws, and who is found is found again by the id", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        anyText({ maxLength: 400 }),
        addressUser.map((user) => `${user}@pbx.example.org`),
      ),
      encoding,
      (typed, written) => {
        const ids = ghostIds(written);
        const found = ids.forDialled(typed);
        if (found.kind === "ghost") expect(ids.parse(found.user)).toEqual(found.target);
      },
    ),
    { numRuns: 2000 },
  );
});
