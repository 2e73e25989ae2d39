import { expect, test } from "vitest";
import { roomId, type UserId } from "../../../src/core/ids.ts";
import { shortened, type RingTarget } from "../../../src/core/number/plan/ring-stage.ts";

const annId = "@ann:example.org" as UserId;
const ann: RingTarget = { kind: "person", person: annId };
const bob: RingTarget = { kind: "person", person: "@bob:example.org" as UserId };
const room: RingTarget = { kind: "room", room: roomId("!room:example.org") };
const annFor10 = (person: UserId) => (person === annId ? 10_000 : undefined);

test("a person is rung no longer than they want, over all stages, and the others as before", () => {
  const stages = [
    { targets: [ann, bob], ringMs: 8_000 },
    { targets: [ann, room], ringMs: 8_000 },
    { targets: [ann], ringMs: 8_000 },
    { targets: [bob], ringMs: 8_000 },
  ];
  expect(shortened(stages, annFor10)).toEqual([
    { targets: [ann, bob], ringMs: 8_000 },
    { targets: [ann, room], ringMs: 2_000 },
    { targets: [room], ringMs: 6_000 },
    { targets: [bob], ringMs: 8_000 },
  ]);
});

test("stages stay as they are where nobody wants otherwise", () => {
  const stages = [{ targets: [ann, room], ringMs: 30_000 }];
  expect(shortened(stages, () => undefined)).toEqual(stages);
  expect(shortened(stages, () => 60_000)).toEqual(stages);
});
