// Messages behind the real intake: what was taken from the homeserver is delivered, over a restart too.
import { expect, it } from "vitest";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import type { MessageOutcome } from "../../../src/ports/sip.ts";
import { startEdge, textMessage } from "../../matrix/edge-rig.ts";
import { ann, room, MessagesRig } from "./messages-rig.ts";

it("a text that the bridge did not get rid of before it was stopped is delivered after the next start", async () => {
  const inbox = openMemoryStore();
  const before = await new MessagesRig().opened();
  let end: (outcome: MessageOutcome) => void = () => {};
  before.outcomes.push({ kind: "delivered", status: 200 }, new Promise((resolve) => (end = resolve)));
  const first = await startEdge({
    store: inbox,
    clock: before.clock,
    sink: (fact) => (fact.kind === "message.received" ? before.outbound.hear(fact) : Promise.resolve()),
  });
  const events = ["one", "two", "three"].map((body) => textMessage(body, { sender: ann, room_id: room }));
  await first.push("1", events);
  await expect.poll(() => before.sent.map(({ text }) => text)).toEqual(["one", "two"]);
  before.outbound.stop();
  const stopped = first.edge.stop();
  end({ kind: "failed", fault: "transport" });
  await stopped;
  expect(before.words).toEqual([]);

  const after = await new MessagesRig().opened();
  const second = await startEdge({
    store: inbox,
    clock: after.clock,
    sink: (fact) => (fact.kind === "message.received" ? after.outbound.hear(fact) : Promise.resolve()),
  });
  await second.push("1", events);
  await second.edge.idle();
  expect(after.sent.map(({ text }) => text)).toEqual(["two", "three"]);
  expect(await inbox.inbox.pending()).toEqual([]);
});
