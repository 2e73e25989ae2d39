// Ladders as the admin API shows them.
import * as z from "zod";
import type { LadderMessage, LadderSide } from "../../../ports/ladders/ladder.ts";
import { time, timeOf } from "./scalars.ts";

const side = z.object({
  lane: z.enum(["client", "homeserver", "bridge", "trunk"]),
  name: z.string().describe("Of a person their Matrix id, of a trunk its name; empty where nothing is known"),
  address: z.string().optional().describe("SIP: where it was sent from or to, such as 192.0.2.1:5060"),
});

const ladderMessage = z.object({
  order: z.number().describe("In the order in which the bridge saw them; no two messages have the same"),
  at: time,
  from: side,
  to: side,
  transport: z.enum(["udp", "tcp", "tls", "ws", "wss"]).optional().describe("Missing: Matrix"),
  thread: z.string().describe("The same for the messages of one dialog (its Call-ID) or one room (its id)"),
  label: z.string().describe("Such as INVITE, 180 Ringing or m.call.invite"),
  repeat: z.boolean().describe("The same message has been said before"),
  text: z
    .string()
    .describe(
      "The message without keys, passwords, texts, digits and everything that the bridge does not know. Empty of a repetition",
    ),
  left_out_before: z
    .number()
    .describe("So many messages of the thread before this one are not kept, because it has too many"),
});

export const ladder = z.object({ messages: z.array(ladderMessage) });

function sideOf({ lane, name, address }: LadderSide): z.infer<typeof side> {
  if (address === undefined) return { lane, name };
  const host = address.address.includes(":") ? `[${address.address}]` : address.address;
  return { lane, name, address: `${host}:${address.port}` };
}

export function ladderOf(messages: readonly LadderMessage[]): z.infer<typeof ladder> {
  return {
    messages: messages.map(({ order, atMs, from, to, transport, thread, label, isRepeat, text, leftOutBefore }) => ({
      order,
      at: timeOf(atMs),
      from: sideOf(from),
      to: sideOf(to),
      transport,
      thread,
      label,
      repeat: isRepeat,
      text,
      left_out_before: leftOutBefore,
    })),
  };
}
