// What the bridge writes in MatrixRTC is what Element Call 0.22 and 0.26 were seen to write.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { deviceId, eventId, roomId, type UserId } from "../../../src/core/ids.ts";
import { declineContent, membershipContent, ringContent } from "../../../src/matrix/wire/rtc-content.ts";
import { stateKeyOf, stickyIdentity } from "../../../src/matrix/wire/rtc-names.ts";

interface Sent {
  readonly client: string;
  readonly sender: UserId;
  readonly device: string;
  readonly type: string;
  readonly state_key?: string;
  readonly room_id: string;
  readonly content: Readonly<Record<string, unknown>>;
}

const wire = join(import.meta.dirname, "../../wire");
const sent = JSON.parse(readFileSync(join(wire, "element-call-sent.json"), "utf8")) as readonly Sent[];
const service = "http://localhost:8203";

describe("as a real client", () => {
  test("the bridge comes into a call", () => {
    const memberships = sent.filter(
      ({ type, content }) => type === "org.matrix.msc3401.call.member" && "application" in content,
    );
    expect(memberships).toHaveLength(2);
    for (const { sender: user, device, room_id, state_key, content } of memberships) {
      const place = { room: roomId(room_id), user, device: deviceId(device) };
      expect(membershipContent({ ...place, service, expiresMs: 14_400_000 })).toEqual(content);
      expect(stateKeyOf(user, place.device)).toBe(state_key);
    }
  });

  test("the bridge rings", () => {
    const rings = sent.filter(({ type }) => type === "org.matrix.msc4075.rtc.notification");
    expect(rings.length).toBeGreaterThanOrEqual(3);
    for (const { content } of rings) {
      const { event_id } = content["m.relates_to"] as { event_id: string };
      const ours = ringContent(eventId(event_id), undefined, Number(content["lifetime"]), Number(content["sender_ts"]));
      expect(ours).toEqual(content);
    }
  });

  test("the bridge declines", () => {
    const { body } = JSON.parse(readFileSync(join(wire, "element-call/called-declines.json"), "utf8")) as {
      body: { events: readonly Sent[] };
    };
    const content = body.events.find(({ type }) => type === "org.matrix.msc4310.rtc.decline")?.content ?? {};
    const { event_id } = content["m.relates_to"] as { event_id: string };
    expect(declineContent(eventId(event_id))).toEqual(content);
  });
});

test("a ring for one person names nobody else", () => {
  const ring = ringContent(eventId("$m"), "@ann:example.org" as UserId, 60_000, 1);
  expect(ring).toMatchObject({ "m.mentions": { user_ids: ["@ann:example.org"], room: false }, lifetime: 60_000 });
});

test("the media server's name of a sticky membership is that which lk-jwt-service gave", () => {
  const id = "c4aa926b-dd0f-43aa-8487-c6f4d3de0c27";
  const name = stickyIdentity("@alicez4kh3:localhost:8201" as UserId, deviceId("VFIKUBPNMP"), id);
  expect(name).toBe("HGbsadC+v+TYfaNLx+qGKGKoMJjHL02OEao5jFzm1pc");
});
