// Pieces that say something of a call, for the list, the history and the page of one.
import type { JSX } from "preact";
import type { Call, CallRecord } from "../api/types.ts";
import { Icon } from "../parts/icons.tsx";
import { Mark, type Tone } from "../parts/small.tsx";
import { useWords } from "../text/use-words.ts";

const ways = { outbound: "out", inbound: "in", joined: "joined" } as const;

export function Direction({ of }: { readonly of: Call["direction"] }): JSX.Element {
  const { t } = useWords();
  return (
    <span class={`direction ${of}`} title={t.call.direction[of]}>
      <Icon name={ways[of]} />
      <span class="unseen">{t.call.direction[of]}</span>
    </span>
  );
}

const phaseTones: Readonly<Record<Call["phase"], Tone>> = {
  beginning: "calm",
  ringing: "busy",
  connected: "good",
  transferring: "busy",
  ending: "calm",
};

export function Phase({ of }: { readonly of: Call["phase"] }): JSX.Element {
  const { t } = useWords();
  return <Mark tone={phaseTones[of]}>{t.call.phases[of]}</Mark>;
}

const resultTones: Readonly<Record<CallRecord["result"], Tone>> = {
  success: "good",
  caller: "calm",
  callee: "calm",
  upstream: "warn",
  bridge: "bad",
};

export function Ending({ of: { result, cause } }: { readonly of: Pick<CallRecord, "result" | "cause"> }): JSX.Element {
  const { t } = useWords();
  return (
    <span title={t.call.results[result]}>
      <Mark tone={resultTones[result]}>{t.call.causes[cause]}</Mark>
    </span>
  );
}

export function Codec({ of: media }: { readonly of: NonNullable<Call["media"]> }): JSX.Element {
  const { t } = useWords();
  const { converted, codec } = media;
  return <>{converted === undefined ? codec : t.call.converted(converted.matrix, converted.trunk)}</>;
}
