// A call ends, and the next one begins: the number is out of the way at once, and a person who was quicker is called for all that.
import { createServer, type ServerResponse } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { listen } from "../../../dev/loopback/listen.ts";
import type { LegAddress } from "../../../src/core/call/model/matrix-leg.ts";
import { memberType, number, ringing, ringType, type RtcWorld, startRtcWorld } from "./rtc-world.ts";

/** Stands before the homeserver, and keeps back what it is told to. */
interface Door {
  holds: (path: string, body: string) => boolean;
  held(): number;
  /** What was kept back goes on, and nothing is any more. */
  open(): void;
}

async function start(): Promise<{ readonly world: RtcWorld; readonly door: Door }> {
  const held: (() => void)[] = [];
  const door: Door = {
    holds: () => false,
    held: () => held.length,
    open() {
      door.holds = () => false;
      for (const go of held.splice(0)) go();
    },
  };
  const before = async (homeserver: string): Promise<string> => {
    const pass = async (
      method: string,
      path: string,
      headers: Record<string, string>,
      body: string,
      response: ServerResponse,
    ) => {
      const answer = await fetch(homeserver + path, { method, headers, ...(body !== "" && { body }) });
      response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
    };
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        const { method = "", url: path = "" } = request;
        const headers = { authorization: request.headers.authorization ?? "", "content-type": "application/json" };
        const go = (): void => void pass(method, path, headers, body, response);
        if (door.holds(path, body)) held.push(go);
        else go();
      });
    });
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${await listen(server)}`;
  };
  return { world: await startRtcWorld({ before }), door };
}

const invitations = ({ rig }: RtcWorld) => rig.facts.flatMap((fact) => (fact.kind === "call.invited" ? [fact] : []));
const isInCall = (world: RtcWorld): boolean => "application" in (world.memberships().at(-1)?.content ?? {});

/** Alice has called, and the number has answered. */
async function talking(world: RtcWorld): Promise<LegAddress> {
  await world.send(ringType, ringing(await world.join()));
  await expect.poll(() => invitations(world)).toHaveLength(1);
  const [fact] = invitations(world);
  if (fact === undefined) throw new Error("no call");
  const leg = { ...fact, ghost: number, own: "unused" as LegAddress["own"] };
  await world.rig.edge.homeserver.signal(leg, { kind: "answer", description: "" });
  expect(isInCall(world)).toBe(true);
  return leg;
}

test("The number is out of the call as soon as the person is, whatever it is saying in the room", async () => {
  const { world, door } = await start();
  await talking(world);
  door.holds = (path) => path.includes("/send/m.room.message/");
  const said = world.rig.edge.homeserver.notice(world.room, number, "The call is on hold.");
  await world.leave();
  await expect.poll(() => isInCall(world)).toBe(false);
  door.open();
  await said;
});

test("The number leaves the room when it has left the call", async () => {
  const { world, door } = await start();
  const leg = await talking(world);
  const { homeserver } = world.rig.edge;
  door.holds = (path, body) => path.includes(`/state/${memberType}/`) && body === "{}";
  const hungUp = homeserver.signal(leg, { kind: "hangup", cause: "callee-hung-up" });
  await expect.poll(() => door.held()).toBe(1);
  const left = homeserver.leave(world.room, number);
  // By then it would have left.
  await homeserver.displayName(world.alice, number);
  door.open();
  await Promise.all([hungUp, left]);
  expect(isInCall(world)).toBe(false);
});

test("A person who calls again before the number has left rings nobody, and calls all the same, once", async () => {
  const { world, door } = await start();
  await talking(world);
  door.holds = (path, body) => path.includes(`/state/${memberType}/`) && body === "{}";
  await world.leave();
  await expect.poll(() => world.rig.facts.some(({ kind }) => kind === "call.hungUp")).toBe(true);
  world.clock.advance(2_000);
  const membership = await world.join();
  await world.server.pushed();
  await world.rig.edge.idle();
  world.clock.advance(3_000);
  await expect.poll(() => invitations(world)).toHaveLength(2);
  expect(invitations(world)[1]).toMatchObject({ matrixCallId: membership, sender: world.alice, invitee: number });
  door.open();
  await world.send(ringType, ringing(membership));
  await world.server.pushed();
  await world.rig.edge.idle();
  expect(invitations(world)).toHaveLength(2);
});
