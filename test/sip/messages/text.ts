// A MESSAGE of the trunk.
import type { Caller, PlacedCall } from "../rig/caller.ts";

interface TextParts {
  readonly type?: string;
  readonly body?: string;
  readonly cseq?: number;
  readonly branch?: string;
  readonly lines?: readonly string[];
}

/** A MESSAGE of the trunk; `placed` holds its Call-ID. */
export function text(caller: Caller, placed: PlacedCall, parts: TextParts = {}): void {
  const { type = "text/plain;charset=UTF-8", body = "hello", ...more } = parts;
  const typed = type === "" ? [] : [`Content-Type: ${type}`];
  const all = { ...more, body, lines: [...typed, ...(parts.lines ?? [])] };
  caller.send(placed.request("MESSAGE", "<sip:+4930555@us.example>", all));
}
