// What a transaction tells the devices of our users besides events, where the registration asks for it: to-device messages
// (MSC4203, once part of MSC2409), whose devices have changed, and how many of their one-time keys are left (MSC3202).
import { z } from "zod";
import type { UserId } from "../../core/ids.ts";
import { userIdText } from "./envelope.ts";

/** As it was sent, for one device (client-server API, "Send-to-device messaging"). */
export interface ToDeviceEvent {
  readonly type: string;
  readonly sender: UserId;
  readonly content: Readonly<Record<string, unknown>>;
}

interface PushedMessage {
  readonly user: UserId;
  readonly device: string;
  readonly event: ToDeviceEvent;
}

/** Whose devices are others than before, and who shares no room with users of ours any more. */
export interface DeviceLists {
  readonly changed: readonly UserId[];
  readonly left: readonly UserId[];
}

/** By user and device. */
type OfDevices<Value> = ReadonlyMap<string, ReadonlyMap<string, Value>>;

export interface PushedNews {
  readonly messages: readonly PushedMessage[];
  /** `incomplete`: so long that not all of it was read. */
  readonly lists: DeviceLists | "incomplete" | undefined;
  /** Unused one-time keys by algorithm. An empty list of counts is left out: some homeservers write so where they know nothing. */
  readonly counts: OfDevices<Readonly<Record<string, number>>>;
  readonly unusedFallbackKeys: OfDevices<readonly string[]>;
  /** The homeserver pushes what devices have to know of keys (MSC3202), to-device messages aside. */
  readonly tellsOfKeys: boolean;
}

/** Synapse puts 100 into a transaction. */
const mostMessages = 1_000;
const mostChanged = 10_000;
/** Who of ours is in the rooms of one transaction's events, and how many devices each of them has. */
const mostUsers = 10_000;
const mostDevices = 20;
const mostAlgorithms = 20;

const identifier = z.string().min(1).max(255);
const messageForm = z.object({
  type: identifier,
  sender: userIdText,
  content: z.record(z.string(), z.unknown()),
  to_user_id: userIdText,
  to_device_id: identifier,
});
const toDeviceForm = messageForm.omit({ to_user_id: true, to_device_id: true });
const someUsers = z
  .array(z.unknown())
  .max(mostChanged)
  .transform((users) => users.flatMap((user) => userIdText.safeParse(user).data ?? []));
const listsForm = z.object({ changed: someUsers.optional(), left: someUsers.optional() });
const countsForm = z.record(z.string(), z.int().nonnegative());
const algorithmsForm = z.array(z.string()).max(mostAlgorithms);

/** The same thing under its name in the specification, and under those that it has while it is a proposal. */
const names = {
  messages: ["to_device", "de.sorunome.msc2409.to_device"],
  lists: ["device_lists", "org.matrix.msc3202.device_lists"],
  counts: [
    "device_one_time_keys_count",
    "org.matrix.msc3202.device_one_time_keys_count",
    "org.matrix.msc3202.device_one_time_key_counts",
  ],
  fallback: ["device_unused_fallback_key_types", "org.matrix.msc3202.device_unused_fallback_key_types"],
} as const;

/** undefined: nothing of the kind, or nothing that makes sense. */
export function readPushedNews(transaction: object): PushedNews | undefined {
  const found = (name: keyof typeof names): unknown => {
    const field = names[name].find((one) => Object.hasOwn(transaction, one));
    return field === undefined ? undefined : Reflect.get(transaction, field);
  };
  const messages = messagesIn(found("messages"));
  const lists = listsIn(found("lists"));
  const counts = perDevice(found("counts"), countsIn);
  const unusedFallbackKeys = perDevice(found("fallback"), (value) => algorithmsForm.safeParse(value).data);
  const tellsOfKeys = lists !== undefined || isObject(found("counts"));
  if (messages.length === 0 && !tellsOfKeys) return undefined;
  return { messages, lists, counts, unusedFallbackKeys, tellsOfKeys };
}

/** A message as `/sync` gives it; undefined: it is none. */
export function readToDevice(message: unknown): ToDeviceEvent | undefined {
  return toDeviceForm.safeParse(message).data;
}

function messagesIn(value: unknown): readonly PushedMessage[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, mostMessages).flatMap((message): readonly PushedMessage[] => {
    const { data } = messageForm.safeParse(message);
    if (data === undefined) return [];
    const { to_user_id: user, to_device_id: device, ...event } = data;
    return [{ user, device, event }];
  });
}

function listsIn(value: unknown): PushedNews["lists"] {
  if (!isObject(value)) return undefined;
  const { data } = listsForm.safeParse(value);
  return data === undefined ? "incomplete" : { changed: data.changed ?? [], left: data.left ?? [] };
}

function countsIn(value: unknown): Readonly<Record<string, number>> | undefined {
  const { data } = countsForm.safeParse(value);
  const size = data === undefined ? 0 : Object.keys(data).length;
  return size > 0 && size <= mostAlgorithms ? data : undefined;
}

function perDevice<Value>(value: unknown, read: (value: unknown) => Value | undefined): OfDevices<Value> {
  const users = new Map<string, ReadonlyMap<string, Value>>();
  for (const [user, devices] of isObject(value) ? Object.entries(value).slice(0, mostUsers) : []) {
    const found = new Map<string, Value>();
    for (const [device, one] of isObject(devices) ? Object.entries(devices).slice(0, mostDevices) : []) {
      const known = read(one);
      if (known !== undefined) found.set(device, known);
    }
    if (found.size > 0) users.set(user, found);
  }
  return users;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
