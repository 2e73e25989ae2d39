// What is used of limits, and which calls are stopped or held, as an admin sees and changes it by commands.
import { describe, expect, test } from "vitest";
import type { UserId } from "../../../src/core/ids.ts";
import { shell } from "./shell.ts";

describe("limits and stops", () => {
  test("show what is used and what is left, for people and for programs", async () => {
    const { run: command } = await shell();
    expect((await command("limits")).out.split("\n")).toEqual([
      "WHOSE             WHEN        USED      LIMIT     OF IT",
      "@ann:example.org  today       48.5 min  60 min    80 %",
      "country LV        this month  1.25 EUR  no limit",
      "",
    ]);
    expect(JSON.parse((await command("limits", "--json")).out)).toMatchObject({
      currency: "EUR",
      uses: [
        { measure: "minutes", limit: "60", used: "48.5" },
        { measure: "money", used: "1.25" },
      ],
      stops: [],
    });
  });

  test("calls stop ends calls until calls start, says whose, and is noted with who did it", async () => {
    const { run: command, door } = await shell();
    const done = await command("calls", "stop", "--reason", "odd bill");
    expect(done).toMatchObject({ code: 0, out: "outgoing calls stopped: 1 ended, none begin until `calls start`\n" });
    expect(door.stopOrders).toMatchObject([{ scope: { kind: "bridge" }, inbound: false, why: "odd bill" }]);
    expect((await command("limits")).out).toMatch(
      /^outgoing calls are stopped since 2026-11-30 12:00:00 UTC by uid \d+: odd bill\n/,
    );
    expect((await command("calls", "start")).out).toBe("outgoing calls may begin again\n");
    expect(await command("calls", "start")).toMatchObject({
      code: 2,
      err: expect.stringContaining("not stopped") as string,
    });
    expect(door.noted.map(({ action, detail }) => [action, detail])).toEqual([
      ["stop calls", "all calls odd bill"],
      ["start calls", "all calls"],
      ["start calls", "all calls"],
    ]);
  });

  test("calls allow releases what limits shows as held, and is noted", async () => {
    const { run: command, door } = await shell();
    const person = "@ann:example.org" as UserId;
    door.heldCalls = ["37129", "88213"].map((prefix) => ({
      person,
      prefix,
      why: `6 short calls to +${prefix}… within an hour`,
      atMs: Date.UTC(2026, 10, 30, 12),
    }));
    expect((await command("limits")).out).toContain(
      "calls of @ann:example.org to +37129… are held since 2026-11-30 12:00:00 UTC: 6 short calls to +37129… within an hour (`calls allow @ann:example.org +37129` releases them)\n",
    );
    expect(await command("calls", "allow", person, "+37x")).toMatchObject({
      code: 2,
      err: expect.stringContaining("should be the first digits of numbers, such as +37129") as string,
    });
    expect((await command("calls", "allow", person, "+37129")).out).toMatch(
      /^@ann:example.org may call \+37129… again\nstill: calls of @ann:example.org to \+88213… are held/,
    );
    expect((await command("calls", "allow", person)).out).toBe("@ann:example.org may call +88213… again\n");
    expect(await command("calls", "allow", person)).toMatchObject({
      code: 2,
      err: expect.stringContaining("no such calls of this person are held") as string,
    });
    expect(door.noted.map(({ action, detail }) => [action, detail])).toContainEqual([
      "allow calls",
      `${person} +37129`,
    ]);
  });

  test("calls stop takes a person or a trunk, and refuses what makes no sense", async () => {
    const { run: command, door } = await shell();
    expect((await command("calls", "stop", "--user", "@ann:example.org")).out).toContain(
      "calls of @ann:example.org stopped",
    );
    expect((await command("calls", "stop", "--trunk", "main")).out).toContain("calls over main stopped");
    expect(await command("calls", "stop", "--trunk", "mian")).toMatchObject({
      code: 2,
      err: expect.stringContaining("there is no such trunk; there are main") as string,
    });
    expect(await command("calls", "stop", "--trunk", "main", "--all")).toMatchObject({ code: 2 });
    expect(door.stopOrders).toHaveLength(2);
  });
});
