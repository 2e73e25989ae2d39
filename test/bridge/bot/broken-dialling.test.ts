// A defect while the bot dials for somebody leaves nobody in a call with a number that is not dialled.
import { expect, test } from "vitest";
import { deviceId, matrixCallId, roomId, type UserId } from "../../../src/core/ids.ts";
import { DialIns } from "../../../src/bridge/bot/dial-ins.ts";
import { RingBacks } from "../../../src/bridge/bot/ring-backs.ts";
import type { GhostNumber } from "../../../src/core/number/plan/number-key.ts";
import { conferenceForm, conferenceSide, participant } from "../../fakes/conference.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

const ann = "@ann:example.org" as UserId;
const bot = "@_sip_bot:example.org" as UserId;
const room = roomId("!lobby:example.org");
const number = { user: bot } as unknown as GhostNumber;
const abilities = { canRenegotiate: false, hasKeypad: false };

function start() {
  const said: string[] = [];
  const signal = async (_leg: unknown, { kind }: { readonly kind: string }): Promise<void> => void said.push(kind);
  const place = (): Promise<boolean> => Promise.reject(new Error("broken"));
  const common = { occupied: { callsIn: () => [] }, place, clock: new VirtualClock(), log: new FakeTelemetry().log };
  return { said, signal, common };
}

test("a person who is rung back is let go", async () => {
  const { said, signal, common } = start();
  const homeserver = { bot, ownSide: () => conferenceSide, signal };
  const ringBacks = new RingBacks({ ...common, homeserver, clientKinds: { of: () => ["rtc"] } });
  expect(await ringBacks.begin(room, ann, number)).toBe(true);
  const { matrixCallId: call } = conferenceSide;
  const answer = { kind: "call.answered", eventId: "$a", room, sender: ann, ageMs: 0, receivedAtMs: 0 } as const;
  const more = { matrixCallId: call, device: deviceId("X"), description: participant("ann") };
  await expect(
    ringBacks.take({ ...answer, ...more, form: conferenceForm, abilities } as Parameters<RingBacks["take"]>[0]),
  ).rejects.toThrow("broken");
  expect(said).toEqual(["invite", "select", "hangup"]);
});

test("a number that is invited leaves the call", async () => {
  const { said, signal, common } = start();
  const side = { matrixCallId: matrixCallId("call-1"), own: deviceId("own"), form: conferenceForm };
  const homeserver = {
    hasRunningCall: async () => true,
    placeInRunningCall: async () => ({ side, abilities, description: participant("all") }),
    signal,
  };
  const ringingRooms = { open: async () => ({ ghost: bot }) };
  const dialIns = new DialIns({
    ...common,
    homeserver,
    ringingRooms: ringingRooms as never,
    callers: { sameNumber: () => false },
  });
  await expect(dialIns.begin(room, ann, number)).rejects.toThrow("broken");
  expect(said).toEqual(["hangup"]);
});
