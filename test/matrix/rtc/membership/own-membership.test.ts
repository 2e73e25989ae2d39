// Our membership in the call of a room, at a homeserver that answers as the test has it.
import { expect, onTestFinished, test } from "vitest";
import { deviceId, roomId, type UserId } from "../../../../src/core/ids.ts";
import { Connections } from "../../../../src/matrix/http/connections.ts";
import { HomeserverClient } from "../../../../src/matrix/client/homeserver-client.ts";
import { Outbox } from "../../../../src/matrix/outbox.ts";
import { OwnMembership } from "../../../../src/matrix/rtc/membership/own-membership.ts";
import { VirtualClock } from "../../../fakes/virtual-clock.ts";
import { collectingLog } from "../../edge-rig.ts";
import { type ScriptedAnswer, startScripted } from "../../scripted-homeserver.ts";

const ok = (body: object) => ({ status: 200, body });

async function entered(answers: readonly ScriptedAnswer[]) {
  const homeserver = await startScripted([ok({ delay_id: "first" }), ok({ event_id: "$in" }), ...answers]);
  const clock = new VirtualClock();
  const log = collectingLog([]);
  const connections = new Connections(homeserver.url, "token");
  onTestFinished(() => connections.close());
  const client = new HomeserverClient(connections, undefined, clock, log);
  const outbox = new Outbox(client, clock);
  const user = "@_sip_030901820:example.org" as UserId;
  const place = { room: roomId("!r:example.org"), user, device: deviceId("SIP1") };
  const parts = { client, outbox, undelayed: () => undefined, clock, log };
  const membership = new OwnMembership(parts, place, "https://rtc.example.org");
  await membership.enter();
  const cancelled = (): readonly (string | undefined)[] =>
    homeserver.requests.flatMap(({ url }) => /delayed_events\/(\w+)\/cancel/.exec(url)?.[1] ?? []);
  return { membership, clock, cancelled, requests: homeserver.requests };
}

test("no delayed leave stays behind that was asked for while we left: it would end the next call", async () => {
  let answerLate: () => void = () => undefined;
  const { membership, clock, cancelled, requests } = await entered([
    { status: 404, body: { errcode: "M_NOT_FOUND", error: "no such delayed event" } },
    (response) => {
      answerLate = () => response.end(JSON.stringify({ delay_id: "second" }));
    },
    ok({ event_id: "$out" }),
    ok({}),
  ]);
  clock.advance(8_000);
  await expect.poll(() => requests.length).toBe(4);
  await membership.leave();
  answerLate();
  await expect.poll(cancelled).toEqual(["first", "second"]);
});

test("nor one that the homeserver was too busy to cancel at first", async () => {
  const { membership, clock, cancelled } = await entered([
    ok({ event_id: "$out" }),
    { status: 502, body: "Bad Gateway" },
    ok({}),
  ]);
  const left = membership.leave();
  await expect.poll(cancelled).toEqual(["first"]);
  await expect
    .poll(() => {
      clock.advance(100);
      return cancelled();
    })
    .toEqual(["first", "first"]);
  await left;
});
