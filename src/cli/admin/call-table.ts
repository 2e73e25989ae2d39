// The history of calls as a table, for commands and for the console: which columns it has, and how their cells are made.
import type * as z from "zod";
import type { callRecord } from "../../http/admin/wire/calls.ts";
import { csvRow } from "./csv.ts";

type CallRecord = z.infer<typeof callRecord>;

function secondsBetween(from: string | undefined, to: string): number | undefined {
  return from === undefined ? undefined : Math.round((Date.parse(to) - Date.parse(from)) / 1000);
}

const columns: readonly (readonly [string, (record: CallRecord) => string | number | boolean | undefined])[] = [
  ["id", ({ id }) => id],
  ["direction", ({ direction }) => direction],
  ["person", ({ person }) => person],
  ["number", ({ number }) => number],
  ["called", ({ called }) => called],
  ["trunk", ({ trunk }) => trunk],
  ["result", ({ result }) => result],
  ["cause", ({ cause }) => cause],
  ["sip_status", (record) => record.sip_status],
  ["started_at", (record) => record.started_at],
  ["ringing_at", (record) => record.ringing_at],
  ["answered_at", (record) => record.answered_at],
  ["ended_at", (record) => record.ended_at],
  ["talked_seconds", (record) => secondsBetween(record.answered_at, record.ended_at)],
  ["codec", ({ media }) => media.codec],
  ["packets_from_matrix", ({ media }) => media.from_matrix.packets],
  ["lost_from_matrix", ({ media }) => media.from_matrix.lost],
  ["jitter_ms_from_matrix", ({ media }) => media.from_matrix.jitter_ms],
  ["packets_from_trunk", ({ media }) => media.from_trunk.packets],
  ["lost_from_trunk", ({ media }) => media.from_trunk.lost],
  ["jitter_ms_from_trunk", ({ media }) => media.from_trunk.jitter_ms],
  ["room", ({ room }) => room],
  ["matrix_call", (record) => record.matrix_call],
  ["sip_call", (record) => record.sip_call],
];

export const callHeads = csvRow(columns.map(([head]) => head));

export function callRow(record: CallRecord): string {
  return csvRow(columns.map(([, cell]) => cell(record)));
}
