import type { Call } from "../api/types.ts";
import { useApp } from "../app/use-app.ts";
import { problemWords } from "../parts/problem.tsx";
import { partiesOf } from "../text/parties.ts";
import { useWords } from "../text/use-words.ts";

/** Asks first, and says what came of it. */
export function useHangUp(): (call: Call) => Promise<void> {
  const { t } = useWords();
  const { client, confirm, announce, feed } = useApp();
  return async (call) => {
    const who = partiesOf(call);
    const given = await confirm({
      title: t.hangUp.title,
      body: t.hangUp.body(who),
      action: t.hangUp.button,
      danger: true,
      fields: [{ name: "reason", label: t.hangUp.reason, maxLength: 200 }],
    });
    if (given === undefined) return;
    const reason = given["reason"]?.trim();
    try {
      const body = reason ? { reason } : {};
      await client.ask(`/calls/${encodeURIComponent(call.id)}/hangup`, { method: "POST", body });
      announce(t.hangUp.done(who));
      feed.refresh();
    } catch (error) {
      announce(problemWords(error, t), "failed");
    }
  };
}
