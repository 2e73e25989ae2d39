// The gateway's own numbers, without the time that people need.
import { NUMBERS, type GatewayNumber, type ScriptStep } from "../../dev/gateway/gateway.ts";

/** No pause is longer than `limitMs`. */
export function quickNumbers(limitMs: number): readonly GatewayNumber[] {
  const quick = (step: ScriptStep): ScriptStep =>
    step.do === "pause" ? { do: "pause", ms: Math.min(step.ms, limitMs) } : step;
  return NUMBERS.map((number) => {
    const callsBack = number.callsBack && { callsBack: { sound: number.callsBack.sound, afterMs: limitMs } };
    return Object.assign({}, number, { script: number.script.map(quick) }, callsBack);
  });
}
