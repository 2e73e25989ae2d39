// A process that writes to a store until it is ended, and says on standard output what is stored: for crash.test.ts.
import { openSqliteStore } from "../../src/store/open-store.ts";
import { inboxEntry, storedCall, recordOf } from "../contract/store-examples.ts";

const [path = "", size = "10"] = process.argv.slice(2);
const say = (line: string): boolean => process.stdout.write(`${line}\n`);
try {
  const store = await openSqliteStore(path);
  say("open");
  for (let round = 0; ; round += 1) {
    const entry = inboxEntry(`$${round}`);
    await store.inbox.take([{ ...entry, json: JSON.stringify({ padding: "x".repeat(Number(size)) }) }]);
    say(`taken ${round}`);
    const call = storedCall(`c-${round}`);
    await store.calls.save(call);
    say(`saved ${round}`);
    if (round % 2 === 0) continue;
    await store.inbox.done(entry.eventId);
    await store.calls.finish(call.call.id, recordOf(call.call.id, round));
    say(`finished ${round}`);
  }
} catch (error) {
  say(
    `failed ${JSON.stringify(error instanceof Error ? { name: error.name, code: (error as { code?: unknown }).code, message: error.message } : error)}`,
  );
  process.exitCode = 1;
}
