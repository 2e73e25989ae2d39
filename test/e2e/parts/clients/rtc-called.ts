// What tests wait for with people who have MatrixRTC calls.
import { patienceMs } from "../../../../dev/loopback/patience.ts";
import type { RtcMember, RtcRing } from "../../page/rtc/api.ts";
import { until } from "../base/until.ts";
import type { Account, RealHomeserver } from "../homeservers/real-homeserver.ts";
import type { Browser } from "./browser.ts";

/** Which rings each person has been seen to get. */
const seen = new WeakMap<Browser, Set<string>>();

/** A ring that comes in; not one of those before. */
export async function rung(person: Browser, timeoutMs = patienceMs): Promise<RtcRing> {
  const before = seen.get(person) ?? new Set();
  const ring = await until(
    `a ring at ${person.userId}`,
    async () => (await person.rtc.rings()).find(({ notificationId }) => !before.has(notificationId)),
    { timeoutMs },
  );
  seen.set(person, before.add(ring.notificationId));
  return ring;
}

/** It rings no longer. */
export const silenced = (person: Browser, { notificationId }: RtcRing): Promise<RtcRing["over"]> =>
  until(`the ring at ${person.userId} to be over`, async () => {
    const ring = (await person.rtc.rings()).find((each) => each.notificationId === notificationId);
    return ring?.over;
  });

/** As many others as that are in the person's newest call. */
export const othersOf = (person: Browser, count: number): Promise<readonly RtcMember[]> =>
  until(`${count} others in the call of ${person.userId}`, async () => {
    const { others } = await person.rtc.report();
    return others.length === count && others;
  });

interface Membership {
  readonly type: string;
  readonly sender: string;
  readonly content: { readonly application?: unknown; readonly msc4354_sticky_key?: string };
}

/** Who is in the call of a plain room by what the homeserver has: a user for each of their devices that is there. */
export async function inCall(homeserver: RealHomeserver, room: string, { accessToken: token }: Account) {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}`;
  const filter = encodeURIComponent(JSON.stringify({ types: ["org.matrix.msc4143.rtc.member"] }));
  const state = Object.values(await homeserver.request("GET", `${path}/state`, { token })) as Membership[];
  const { chunk } = await homeserver.request("GET", `${path}/messages?dir=b&limit=100&filter=${filter}`, { token });
  const newest = new Map<string | undefined, Membership>();
  for (const one of (chunk as Membership[]).toReversed()) newest.set(one.content.msc4354_sticky_key, one);
  return [...state.filter(({ type }) => type === "org.matrix.msc3401.call.member"), ...newest.values()]
    .filter(({ content }) => content.application !== undefined)
    .map(({ sender }) => sender);
}

/** So soon a person sees that a number has left their call. */
const LEFT_WITHIN_MS = 2_000;

/** Nobody but the person is in the call of the room, as their client reads it. */
export const aloneIn = (person: Browser, room: string, timeoutMs = LEFT_WITHIN_MS): Promise<unknown> =>
  until("nobody else to be in the call", async () => (await person.rtc.othersIn(room)).length === 0, { timeoutMs });

/** What a telephone has, in its order. */
const padKeys = Array.from("123456789*0#", (key) => `${key}\ufe0f\u20e3`);

/** Asks for keys in the room of the call; all are there. Gives the message under which they are. */
export async function asksForKeypad(person: Browser, roomId: string): Promise<string> {
  const before = (await person.phone.messages()).length;
  await person.phone.send(roomId, "keypad");
  const { eventId, sender } = await until("the keypad", async () =>
    (await person.phone.messages())
      .slice(before)
      .find((one) => one.roomId === roomId && one.body.startsWith("Keypad: ")),
  );
  const all = padKeys.map((key) => ({ key, sender }));
  await until("its keys", async () => {
    const there = await person.phone.reactions(roomId, eventId);
    return JSON.stringify(there) === JSON.stringify(all);
  });
  return eventId;
}

/** Taps these keys, one after the other. */
export async function tapsKeys(person: Browser, roomId: string, keypad: string, keys: string): Promise<void> {
  for (const key of keys) await person.phone.tap(roomId, keypad, `${key}\ufe0f\u20e3`);
}

/** They begin a call in the room. A client sends its membership while it is let into the media server, so that has to be seen. */
export async function meet(room: string, ...people: readonly Browser[]): Promise<void> {
  for (const person of people) await person.rtc.join(room, { format: "state event" });
  for (const person of people) await othersOf(person, people.length - 1);
}

/** The person is in no call any more, however it went. */
export async function leavesCall(person: Browser): Promise<void> {
  await person.elementCall.close();
  await person.rtc.leave();
}
