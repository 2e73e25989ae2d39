import { describe, expect, test } from "vitest";
import type { RingTarget } from "../../../src/core/number/plan/ring-stage.ts";
import { parseUserId, roomId, trunkName, type TrunkName, type UserId } from "../../../src/core/ids.ts";
import type { DidMatch, DidRule } from "../../../src/core/number/plan/did.ts";
import { ownersOfMailbox } from "../../../src/core/number/plan/mailbox.ts";
import { createVirtualUsers } from "../../../src/core/number/plan/virtual-users.ts";
import { numberOf } from "./dialled.ts";

const main = trunkName("main");
const other = trunkName("other");

function user(name: string): UserId {
  const id = parseUserId(`@${name}:example.org`);
  if (id === undefined) throw new TypeError(name);
  return id;
}
const [alice, bob, carol] = [user("alice"), user("bob"), user("carol")];
const person = (id: UserId): RingTarget => ({ kind: "person", person: id });
const office: RingTarget = { kind: "room", room: roomId("!office:example.org") };

function rule(match: DidMatch, turns: readonly (readonly RingTarget[])[], ...trunks: TrunkName[]): DidRule {
  return { match, trunks, stages: turns.map((targets) => ({ targets, ringMs: 20_000 })) };
}
const exact = (number: string): DidMatch => ({ kind: "exact", number });

const table = {
  rules: [
    rule(exact("02079460001"), [[person(alice)]]),
    rule(exact("02079460002"), [[person(alice)]]),
    rule(exact("02079460003"), [[person(alice), person(bob)]]),
    rule(exact("02079460004"), [[person(alice)], [person(bob)]]),
    rule(exact("02079460005"), [[office]]),
    rule(exact("02079460006"), [[person(alice)]], main),
    rule(exact("02079460006"), [[person(bob)]], other),
    rule({ kind: "pattern", pattern: "+4420794601XX" }, [[person(bob)]]),
    rule(exact("bob"), [[person(bob)]]),
    rule(exact("2003"), [[person(carol)]], other),
  ],
};
const users = createVirtualUsers(table, [main, other], "GB");

describe("whose number it is", () => {
  test.each([
    ["+442079460001", alice],
    ["020 7946 0001", alice],
    ["442079460002", alice],
    ["+442079460142", bob],
    ["2003", carol],
    // More than one, a room, another one on each trunk, nobody.
    ["+442079460003", undefined],
    ["+442079460004", undefined],
    ["+442079460005", undefined],
    ["+442079460006", undefined],
    ["+442079460007", undefined],
  ])("%s is that of %s", (dialled, owner) => expect(users.nativeOf(numberOf(dialled))).toBe(owner));
  test("an address and a withheld number are nobody's", () => {
    expect(users.nativeOf({ kind: "address", user: "bob", host: "pbx.example.org" })).toBeUndefined();
    expect(users.nativeOf({ kind: "withheld" })).toBeUndefined();
  });
});

test("a person's number is the first that rings them alone", () => {
  expect(users.virtualOf(alice)).toEqual({ kind: "number", dialled: "+442079460001" });
  expect(users.virtualOf(carol)).toEqual({ kind: "number", dialled: "2003" });
  expect(users.virtualOf(user("nobody"))).toBeUndefined();
});

describe("news of a mailbox", () => {
  const mailboxes = {
    accounts: new Map([
      ["2001", [carol]],
      ["+442079460002", [bob, carol]],
      ["vm-alice", [alice]],
    ]),
    numbers: table,
    country: "GB" as const,
  };
  test.each<[string, string, readonly UserId[]]>([
    ["the account says so", "2001", [carol]],
    ["the account says so, with a name", "vm-alice", [alice]],
    ["the account is the number, written otherwise", "02079460002", [bob, carol]],
    ["the number rings one of them", "02079460001", [alice]],
    ["the number rings one before the other", "02079460004", [alice, bob]],
    ["the number rings in a room", "+442079460005", []],
    ["nobody", "2999", []],
  ])("are for the right people: %s", (_, account, owners) => {
    expect(ownersOfMailbox(account, main, mailboxes)).toEqual(owners);
  });
});
