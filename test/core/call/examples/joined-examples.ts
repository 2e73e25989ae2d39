// Two far ends that are joined in the bridge.
import { expect } from "vitest";
import { beginBridged } from "../../../../src/core/call/bridged/bridged.ts";
import type { Step } from "../../../../src/core/call/step.ts";
import { bridged, legA, numberJoined, toNumber } from "./bridged-examples.ts";
import { play } from "./examples.ts";

export const toLegB = (order: unknown) => ({ kind: "leg.order", call: bridged, order });

export const toLegA = (order: unknown) => ({ kind: "leg.order", call: legA.id, order });

export function joined(): Step {
  const { call } = play(beginBridged(bridged, toNumber, 1_000), ...numberJoined);
  expect(call.phase.kind).toBe("joined");
  return { call, orders: [] };
}
