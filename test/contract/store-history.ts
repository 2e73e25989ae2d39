// What every store keeps for admins: the history of calls, page by page, what admins did, and what webhooks have yet to be told.
import { expect, it } from "vitest";
import type { CallRecord } from "../../src/core/call/model/record.ts";
import { callId } from "../../src/core/ids.ts";
import type { Store } from "../../src/ports/store.ts";
import { person, recordOf } from "./store-examples.ts";

export function describeHistory(store: () => Store): void {
  it("lists history page by page, calls that ended at the same moment too, and of a time", async () => {
    for (const [id, endedAtMs] of [
      ["c-1", 200],
      ["c-2", 300],
      ["c-3", 300],
      ["c-4", 300],
      ["c-5", 100],
    ] as const) {
      await store().calls.finish(callId(id), recordOf(id, endedAtMs));
    }
    const idsOf = (records: readonly CallRecord[]): readonly string[] => records.map(({ id }) => id);
    const first = await store().calls.history(2);
    expect(idsOf(first)).toEqual(["c-4", "c-3"]);
    const second = await store().calls.history(2, { after: first[1] });
    expect(idsOf(second)).toEqual(["c-2", "c-1"]);
    expect(idsOf(await store().calls.history(2, { after: second[1] }))).toEqual(["c-5"]);
    expect(idsOf(await store().calls.history(9, { fromMs: 200, toMs: 300 }))).toEqual(["c-1"]);
  });

  it("keeps one entry of the block list for each person and caller, as it was saved last", async () => {
    const { blocks } = store();
    const forAll = { what: "+4490*", person: undefined, response: undefined, by: "uid 0", atMs: 1_000 };
    const own = { ...forAll, person, by: person, atMs: 2_000 };
    await blocks.save(own);
    await blocks.save(forAll);
    await blocks.save({ ...own, response: "busy", atMs: 3_000 });
    expect(await blocks.list()).toEqual([forAll, { ...own, response: "busy", atMs: 3_000 }]);
    await blocks.remove("+4490*", undefined);
    await blocks.remove("anonymous", person);
    expect(await blocks.list()).toMatchObject([{ person }]);
  });

  it("keeps what admins did, and forgets it in time", async () => {
    const paused = { who: "uid 998", action: "pause trunk", target: "main", detail: undefined, outcome: "done" };
    const level = { who: "uid 998", action: "set log level", target: undefined, detail: "debug", outcome: "done" };
    await store().adminActions.note({ atMs: 1_000, ...paused });
    await store().adminActions.note({ atMs: 2_000, ...level });
    await store().adminActions.note({ atMs: 3_000, ...paused });
    const [last, ...rest] = await store().adminActions.latest(2);
    expect(last).toMatchObject({ atMs: 3_000, ...paused });
    expect(rest).toMatchObject([{ atMs: 2_000, ...level }]);
    expect(await store().adminActions.latest(5, rest[0]?.number)).toMatchObject([{ atMs: 1_000, ...paused }]);
    expect(await store().adminActions.prune(2_000)).toBe(1);
    expect(await store().adminActions.latest(5)).toHaveLength(2);
  });

  it("keeps what a webhook has yet to be told, in order", async () => {
    const { webhook } = store();
    const message = { subject: "c-1", body: '{"type":"call.ended"}', atMs: 1_000, dueAtMs: 1_000, attempts: 0 };
    for (const id of ["m-2", "m-1", "m-3"]) await webhook.add({ id, ...message });
    await webhook.failed("m-2", 1, 5_000);
    await webhook.remove("m-1");
    expect(await webhook.waiting(5)).toEqual([
      { id: "m-2", ...message, attempts: 1, dueAtMs: 5_000 },
      { id: "m-3", ...message },
    ]);
    expect(await webhook.waiting(1)).toHaveLength(1);
  });
}
