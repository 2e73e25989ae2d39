// Ann's room with the bot: what she writes there, and what it says.
import { roomId, type UserId } from "../../../src/core/ids.ts";
import { ann, TestBridge, type TestBridgeOptions } from "../test-bridge.ts";

export const bot = "@_sip_bot:example.org" as UserId;
export const lobby = roomId("!lobby:example.org");

export async function lobbyOf(options: TestBridgeOptions = { admins: [] }): Promise<TestBridge> {
  const made = new TestBridge(options);
  made.homeserver.memberList = [ann, bot].map((user) => ({ user, membership: "join" }));
  const invited = { kind: "member.invited", user: bot, direct: true, encrypted: false, public: false } as const;
  await made.take({ ...made.origin(ann, lobby), ...invited });
  return made;
}

/** What the bot says to it, if anything. */
export async function write(bridge: TestBridge, body: string, sender: UserId = ann): Promise<string | undefined> {
  const said = () => bridge.homeserver.notices.filter((one) => one.room === lobby).map(({ text }) => text);
  const before = said().length;
  await bridge.take({ ...bridge.origin(sender, lobby), kind: "message.received", body, form: "text", edits: false });
  return said().slice(before).at(-1);
}
