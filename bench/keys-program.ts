// A homeserver's keys and a person's client, as a process of their own: what they cost is not the bridge's.
import { KeyServer, serveKeys } from "../test/matrix/encryption/key-server.ts";
import { Person } from "../test/matrix/encryption/person.ts";
import { serve } from "./parts/program.ts";

export type KeysDialogue = {
  start: { question: undefined; answer: string };
  /** An event for a number in a room, with a key of its own in each new room. */
  event: { question: { readonly room: string; readonly ghost: string }; answer: object };
  /** The person's client is in the room. */
  room: { question: { readonly room: string; readonly ghost: string }; answer: null };
};

const server = new KeyServer();
let person: Person | undefined;

serve<KeysDialogue>({
  async start() {
    await serveKeys(server);
    person = await Person.logIn(server);
    return server.url;
  },
  async event({ room, ghost }) {
    if (person === undefined) throw new Error("not started");
    return person.encrypts(room, "m.room.message", { msgtype: "m.text", body: "Hello" }, [ghost]);
  },
  room({ room, ghost }) {
    server.rooms.set(room, { members: new Set([ghost, "@alice:example.org"]), encrypted: true });
    return null;
  },
});
