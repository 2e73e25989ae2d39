// What people see of a number: the name and the picture that the admin gave it, or a telephone of its own colour.
import { describe, expect, test } from "vitest";
import type { UserId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { caller, TestBridge, made1 } from "../test-bridge.ts";

const face = { type: "image/png", bytes: Uint8Array.of(200, 1) } as const;
const watson = { name: "Dr Watson", numbers: ["020 7946 0123", "+44 1632 960 109"], picture: face };
const second = "@_sip_+441632960109%40sip.example.org:example.org" as UserId;

describe("a number of a contact", () => {
  test("has its name, before the one that the trunk sends, and its picture, uploaded once", async () => {
    const bridge = new TestBridge();
    bridge.book.change(watson);
    await bridge.arrive({ identity: callerOf("+442079460123", "Your Bank") });
    await bridge.arrive({ identity: callerOf("+441632960109"), called: "+441632960002" });
    expect([bridge.homeserver.names.get(caller), bridge.homeserver.names.get(second)]).toEqual([
      "Dr Watson",
      "Dr Watson",
    ]);
    expect([...bridge.homeserver.pictures.values()]).toEqual(["mxc://example.org/200-1", "mxc://example.org/200-1"]);
    expect(bridge.homeserver.uploads).toEqual(["200 1"]);
  });

  test("is called otherwise when the contacts change, and by its number when it is in them no more", async () => {
    const bridge = new TestBridge();
    bridge.book.change(watson);
    await bridge.arrive();
    bridge.book.change({ ...watson, name: "John" });
    await bridge.quiet();
    expect(bridge.homeserver.names.get(caller)).toBe("John");
    bridge.book.change();
    await bridge.quiet();
    expect(bridge.homeserver.names.get(caller)).toBe("+44 20 7946 0123");
    expect(bridge.homeserver.pictures.get(caller)).not.toContain("200-1");
  });
});

describe("a number without a picture", () => {
  test("has a telephone: of one colour for all spellings, uploaded once for each colour", async () => {
    const bridge = new TestBridge();
    const national = "@_sip_02079460123%40sip.example.org:example.org" as UserId;
    await bridge.arrive();
    await bridge.lookedUp(national);
    expect(bridge.homeserver.pictures.get(national)).toBe(bridge.homeserver.pictures.get(caller));
    for (let n = 10; n < 60; n++) {
      await bridge.lookedUp(`@_sip_+4420794601${n}%40sip.example.org:example.org` as UserId);
      await bridge.passTime(50);
    }
    expect(new Set(bridge.homeserver.uploads).size).toBe(bridge.homeserver.uploads.length);
    expect(bridge.homeserver.uploads.length).toBeGreaterThan(6);
    expect(bridge.homeserver.uploads.length).toBeLessThanOrEqual(12);
  });

  test("rings all the same where the homeserver takes no pictures: one line says so", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.upload = async () => {
      throw new HomeserverError("M_UNRECOGNIZED", "no media repository", false);
    };
    await bridge.arrive();
    await bridge.arrive();
    expect(bridge.in(made1)).toEqual(["invite"]);
    const said = bridge.telemetry.lines.filter(({ message }) => message === "could not upload a number's picture");
    expect(said).toHaveLength(1);
  });
});
