// `call NUMBER`, `invite NUMBER`, and what is written in calls (in-call/room-orders.ts) where there is none.
import { asked, nothing, order, wrong, type Asker, type Order } from "../order.ts";
import { reply, type Reply } from "../reply.ts";

/** What dials. Each says by itself what a person has to read. */
export interface Dialling {
  call(asker: Asker, number: string): Promise<Reply | undefined>;
  invite(asker: Asker, number: string): Promise<Reply | undefined>;
}

const example = "+44 1632 960123";

export function callOrder(dialling: () => Dialling): Order {
  return order({
    words: ["call", "dial"],
    who: "anybody",
    behind: "NUMBER",
    does: "calls that number: I ring you here, or give you its room, where you press the call button",
    example: `call ${example}`,
    parse: (rest) => (rest === "" ? wrong("Which number?") : asked(rest)),
    run: (number, asker) => dialling().call(asker, number),
  });
}

export function inviteOrder(dialling: () => Dialling): Order {
  return order({
    words: ["invite"],
    who: "anybody",
    behind: "NUMBER",
    does: "in a room where people are in a call with each other: calls that number, and brings it in",
    example: `invite ${example}`,
    parse: (rest) => (rest === "" ? wrong("Which number?") : asked(rest)),
    run: (number, asker) => dialling().invite(asker, number),
  });
}

export const keypadOrder = order({
  words: ["keypad", "keys"],
  who: "anybody",
  behind: "",
  does: "in a call for which your client has no keys: shows keys to tap; you can also write them: 123#",
  example: "keypad",
  parse: nothing,
  run: () => reply("You are in no call that needs a keypad here."),
});

export const transferOrder = order({
  words: ["transfer"],
  who: "anybody",
  behind: "NUMBER",
  does: "in such a call: transfers it",
  example: `transfer ${example}`,
  parse: (rest) => (rest === "" ? wrong("To whom?") : asked(rest)),
  run: () => reply("You are in no call that can be transferred here."),
});
