import { describe, expect, it } from "vitest";
import { roomId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { ann, ghost, ghostOf, identityOf, ids, main, MessagesRig, spare } from "./messages-rig.ts";

describe("what a telephone sends", () => {
  const made = roomId("!made1:example.org");

  it("is written by its number's user into the room with the person, who is invited there", async () => {
    const rig = new MessagesRig();
    expect(await rig.inbound.take(rig.arrival("Hello Ann\r\nbye"))).toBe(200);
    expect(rig.homeserver.rooms).toEqual([{ room: made, as: ghost, invite: ann }]);
    expect(rig.written).toEqual([[made, ghost, "Hello Ann\nbye"]]);
  });

  it("comes to the same room the next time, in its order, once however often it is repeated", async () => {
    const rig = new MessagesRig();
    rig.homeserver.memberList = [{ user: ann, membership: "join" }];
    const [first, second] = [rig.arrival("one"), rig.arrival("two")];
    const statuses = await Promise.all([first, second, first].map((arrival) => rig.inbound.take(arrival)));
    expect(statuses).toEqual([200, 200, 200]);
    expect(rig.homeserver.rooms).toHaveLength(1);
    expect(rig.written).toEqual([
      [made, ghost, "one"],
      [made, ghost, "two"],
    ]);
  });

  it("can be answered in that room", async () => {
    const rig = new MessagesRig();
    await rig.inbound.take(rig.arrival("Are you there?"));
    rig.homeserver.memberList = [{ user: ann, membership: "join" }];
    await rig.outbound.hear(rig.message("Yes", { room: made }));
    expect(rig.telephones).toEqual(["sip:+441632960123@main.example.org Yes"]);
  });

  it("comes to all whom the number rings, and to nobody twice", async () => {
    const hall = roomId("!hall:example.org");
    const rig = new MessagesRig({
      targets: [
        { kind: "person", person: ann },
        { kind: "room", room: hall },
        { kind: "person", person: ann },
      ],
    });
    expect(await rig.inbound.take(rig.arrival("Hello all"))).toBe(200);
    expect(rig.written.map(([where]) => where).toSorted()).toEqual([hall, made]);
  });

  it("comes from Anonymous where the number is withheld, and by a trusted name where there is one", async () => {
    const rig = new MessagesRig();
    const withheld = { ...identityOf("+441632960123"), privacy: ["id"] };
    await rig.inbound.take(rig.arrival("Boo", { identity: withheld }));
    await rig.inbound.take(rig.arrival("Hi", { identity: identityOf("+441632960125", "Carol") }));
    expect(rig.written.map(([, as]) => as)).toEqual([ids.withheld, ghostOf("+441632960125")]);
    expect(rig.homeserver.names.get(ghostOf("+441632960125"))).toBe("Carol");
  });

  it("is shown without what no client shows, and nothing at all is not written", async () => {
    const rig = new MessagesRig();
    expect(await rig.inbound.take(rig.arrival("a\0b\u0007c\td"))).toBe(200);
    expect(await rig.inbound.take(rig.arrival("\0 \r\n"))).toBe(200);
    expect(rig.written.map(([, , text]) => text)).toEqual(["abc\td"]);
  });

  it.each([
    ["to a number that is nobody's", { called: "+441632960998" }, 404],
    ["over a trunk without texts", { trunk: spare }, 405],
    ["longer than any room takes", { text: "é".repeat(16_385) }, 413],
  ])("%s is refused", async (_what, changes, status) => {
    const rig = new MessagesRig({ maxLengths: new Map([[main, 300]]) });
    expect(await rig.inbound.take(rig.arrival("Hello", changes))).toBe(status);
    expect(rig.written).toEqual([]);
  });

  it("is refused for now where there is no room and none can be made, and written when it is sent again", async () => {
    const rig = new MessagesRig();
    const arrival = rig.arrival("Hello");
    rig.homeserver.failure = rig.homeserver.closedWith;
    expect(await rig.inbound.take(arrival)).toBe(480);
    rig.homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
    // A server failure is what the network tries again after.
    expect(await rig.inbound.take(arrival)).toBe(500);
    rig.homeserver.failure = undefined;
    expect(await rig.inbound.take(arrival)).toBe(200);
    expect(rig.written).toHaveLength(1);
  });
});
