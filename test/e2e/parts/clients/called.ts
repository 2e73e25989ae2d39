// What people who are called do, and what they see of it, in the words of the tests.
import type { CallReport, RoomMessage } from "../../page/api.ts";
import type { Browser } from "./browser.ts";
import { type Hearing, toneAt } from "../base/hearing.ts";
import { until } from "../base/until.ts";

/** Which rooms each person came into by an invitation: a client can take its time to see that it is in one. */
const taken = new WeakMap<Browser, Set<string>>();

/** It invites everybody whom a number rings, once. */
const isBot = (user: string): boolean => user.startsWith("@_sip_bot:");

/** The bot makes itself known; the person comes into its room. */
export async function joinsTheBot(person: Browser): Promise<string> {
  const { roomId } = await until("the bot's invitation", async () =>
    (await person.phone.inviters()).find(({ sender }) => isBot(sender)),
  );
  await person.phone.join(roomId);
  return roomId;
}

/** A telephone calls somebody for the first time: they are invited to a room, and come into it. */
export async function joinsWhenInvited(person: Browser): Promise<string> {
  const before = taken.get(person) ?? new Set();
  const { roomId: room } = await until("the invitation", async () =>
    (await person.phone.inviters()).find(({ roomId, sender }) => !before.has(roomId) && !isBot(sender)),
  );
  taken.set(person, before.add(room));
  await person.phone.join(room);
  return room;
}

/** The call as the device saw it end. */
export const endAt = (device: Browser, matrixCallId: string): Promise<CallReport> =>
  until(`the call to be over at ${device.deviceId}`, async () => {
    const call = await device.report(matrixCallId);
    return call.state === "ended" && call;
  });

/** What the room has to say, once it is so many lines or more: the last of them. */
export const lineIn = (device: Browser, roomId: string, pattern: RegExp, count = 1): Promise<RoomMessage> =>
  until(`${count} lines like ${String(pattern)}`, async () => {
    const lines = (await device.phone.messages()).filter((one) => one.roomId === roomId && pattern.test(one.body));
    return lines.length >= count && lines.at(-1);
  });

/** An end that speaks with a tone of its own. */
export interface Voice {
  readonly hears: Hearing;
  readonly hz: number;
}

/** Each hears the other, and none of those who could be heard besides. */
export const hearEachOther = (one: Voice, other: Voice, besides: readonly number[] = []): Promise<unknown> =>
  Promise.all([toneAt(one.hears, other.hz, [one.hz, ...besides]), toneAt(other.hears, one.hz, [other.hz, ...besides])]);

/** The tone is over: there is silence instead, or nothing comes any more. */
export const noLongerHears = (ear: Hearing, hz: number): Promise<unknown> =>
  until(`${hz} Hz to be over`, async () => (await ear([hz], 500))?.hz !== hz);
