// What an admin is told of people in the number table who will never hear their telephone.
import { expect, test } from "vitest";
import { checkNamedPeople } from "../../../src/bridge/operation/named-people.ts";
import type { UserId } from "../../../src/core/ids.ts";
import { FakeHomeserver } from "../../fakes/homeserver.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";

const [alice, alcie, remote] = ["@alice:example.org", "@alcie:example.org", "@bob:example.com"] as UserId[];
const people = [alice, alcie, remote].filter((user) => user !== undefined);

test("one who does not exist is named once; those who do, and those of other homeservers, are not", async () => {
  const homeserver = new FakeHomeserver();
  if (alice !== undefined) homeserver.people.add(alice);
  const { log, lines } = new FakeTelemetry();
  await checkNamedPeople(people, homeserver, log, new AbortController().signal);
  expect(lines).toMatchObject([
    { level: "warn", message: expect.stringContaining("inbound.numbers"), fields: { user: alcie } },
  ]);
});

test("nobody is blamed where the homeserver does not say", async () => {
  const { log, lines } = new FakeTelemetry();
  const silent = { domain: "example.org", exists: async () => undefined };
  await checkNamedPeople(people, silent, log, new AbortController().signal);
  expect(lines).toEqual([]);
});
