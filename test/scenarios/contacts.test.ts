// What people see of a number: the name and the picture that the admin gave it, or a telephone of its own colour.
import { describe, expect, test } from "vitest";
import type { UserId } from "../../src/core/ids.ts";
import { HomeserverError } from "../../src/ports/homeserver.ts";
import { callerOf } from "../fakes/arrivals.ts";
import { caller, House, made1 } from "./house.ts";

const face = { type: "image/png", bytes: Uint8Array.of(200, 1) } as const;
const watson = { name: "Dr Watson", numbers: ["020 7946 0123", "+44 1632 960 109"], picture: face };
const second = "@_sip_+441632960109%40sip.example.org:example.org" as UserId;

describe("a number of a contact", () => {
  test("has its name, before the one that the trunk sends, and its picture, uploaded once", async () => {
    const house = new House();
    house.book.change(watson);
    await house.arrive({ identity: callerOf("+442079460123", "Your Bank") });
    await house.arrive({ identity: callerOf("+441632960109"), called: "+441632960002" });
    expect([house.homeserver.names.get(caller), house.homeserver.names.get(second)]).toEqual([
      "Dr Watson",
      "Dr Watson",
    ]);
    expect([...house.homeserver.pictures.values()]).toEqual(["mxc://example.org/200-1", "mxc://example.org/200-1"]);
    expect(house.homeserver.uploads).toEqual(["200 1"]);
  });

  test("is called otherwise when the contacts change, and by its number when it is in them no more", async () => {
    const house = new House();
    house.book.change(watson);
    await house.arrive();
    house.book.change({ ...watson, name: "John" });
    await house.quiet();
    expect(house.homeserver.names.get(caller)).toBe("John");
    house.book.change();
    await house.quiet();
    expect(house.homeserver.names.get(caller)).toBe("+44 20 7946 0123");
    expect(house.homeserver.pictures.get(caller)).not.toContain("200-1");
  });
});

describe("a number without a picture", () => {
  test("has a telephone: of one colour for all spellings, uploaded once for each colour", async () => {
    const house = new House();
    const national = "@_sip_02079460123%40sip.example.org:example.org" as UserId;
    await house.arrive();
    await house.lookedUp(national);
    expect(house.homeserver.pictures.get(national)).toBe(house.homeserver.pictures.get(caller));
    for (let n = 10; n < 60; n++) await house.lookedUp(`@_sip_+4420794601${n}%40sip.example.org:example.org` as UserId);
    expect(new Set(house.homeserver.uploads).size).toBe(house.homeserver.uploads.length);
    expect(house.homeserver.uploads.length).toBeGreaterThan(6);
    expect(house.homeserver.uploads.length).toBeLessThanOrEqual(12);
  });

  test("rings all the same where the homeserver takes no pictures: one line says so", async () => {
    const house = new House();
    house.homeserver.upload = async () => {
      throw new HomeserverError("M_UNRECOGNIZED", "no media repository", false);
    };
    await house.arrive();
    await house.arrive();
    expect(house.in(made1)).toEqual(["invite"]);
    const said = house.telemetry.lines.filter(({ message }) => message === "could not upload a number's picture");
    expect(said).toHaveLength(1);
  });
});
