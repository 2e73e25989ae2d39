// The price list of `limits.rates_file`: CSV with a header. Whatever is not understood is an error with its line, because a
// price that is read wrongly is somebody's money.
import { readFileSync } from "node:fs";
import { trunkName, type TrunkName } from "../../core/ids.ts";
import { parseMoney, type Money } from "../../core/policy/spending/money.ts";
import { dearestPerMinute } from "../../core/policy/spending/rate.ts";
import { longestPrefix, RateTable, type RateRow } from "../../core/policy/spending/rate-table.ts";
import { codeOf } from "../reading/secrets.ts";
import { csvRows } from "./csv-rows.ts";

export type RatesRead =
  | { readonly kind: "read"; readonly table: RateTable }
  | { readonly kind: "failed"; readonly problems: readonly string[] };

const columns = ["prefix", "price", "connection", "initial", "following", "increments", "name", "trunk"] as const;
type Column = (typeof columns)[number];

/** More lines than these are not worth reading at once. */
const mostProblems = 10;
const longestIncrementS = 3600;

/** `trunks`: the names that the list may use. */
export function readRatesFile(path: string, trunks: ReadonlySet<string>): RatesRead {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return { kind: "failed", problems: [`cannot be read: ${codeOf(error)}`] };
  }
  return readRates(text, trunks);
}

export function readRates(text: string, trunks: ReadonlySet<string>): RatesRead {
  const rows: RateRow[] = [];
  const problems: string[] = [];
  const firstLines = new Map<string, number>();
  let places: ReadonlyMap<Column, number> | undefined;
  for (const row of csvRows(text)) {
    if (problems.length >= mostProblems) {
      problems.push("and perhaps more");
      break;
    }
    if ("problem" in row) {
      problems.push(`line ${row.line} ${row.problem}`);
      continue;
    }
    if (places === undefined) {
      const head = placesOf(row.cells);
      if (typeof head === "string") return { kind: "failed", problems: [`line ${row.line} ${head}`] };
      places = head;
      continue;
    }
    const read = rowOf(row.cells, places, trunks);
    if (typeof read === "string") {
      problems.push(`line ${row.line}: ${read}`);
      continue;
    }
    const key = `${read.prefix} ${read.trunk ?? ""}`;
    const first = firstLines.get(key);
    if (first === undefined) firstLines.set(key, row.line);
    else problems.push(`line ${row.line}: prefix ${read.prefix} has a price in line ${first} already`);
    rows.push(read);
  }
  if (problems.length > 0) return { kind: "failed", problems };
  if (rows.length === 0) return { kind: "failed", problems: ["has no prices in it"] };
  return { kind: "read", table: new RateTable(rows) };
}

/** Where each column stands, or what is wrong with the header. */
function placesOf(cells: readonly string[]): ReadonlyMap<Column, number> | string {
  const places = new Map<Column, number>();
  for (const [at, cell] of cells.entries()) {
    const name = columns.find((one) => one === cell.toLowerCase());
    if (name === undefined) return `has the unknown column "${shown(cell)}": there are ${columns.join(", ")}`;
    if (places.has(name)) return `has the column ${name} twice`;
    places.set(name, at);
  }
  if (!places.has("prefix") || !places.has("price")) return "should be a header with the columns prefix and price";
  if (places.has("increments") && (places.has("initial") || places.has("following")))
    return "has the columns increments and initial or following, which say the same";
  return places;
}

/** A price, or what is wrong with it. */
function rowOf(
  cells: readonly string[],
  places: ReadonlyMap<Column, number>,
  trunks: ReadonlySet<string>,
): RateRow | string {
  if (cells.length !== places.size) return `should have ${places.size} cells, and has ${cells.length}`;
  const cell = (column: Column): string => cells[places.get(column) ?? -1] ?? "";
  const prefix = cell("prefix").replace(/^\+/, "");
  if (!/^[1-9]\d*$/.test(prefix) || prefix.length > longestPrefix)
    return `prefix should be the first digits of numbers with their country code, such as 4420, not "${shown(cell("prefix"))}"`;
  const perMinute = amount(cell("price"));
  if (perMinute === undefined || perMinute > dearestPerMinute)
    return `price should be what a minute costs, such as 0.0125, not "${shown(cell("price"))}"`;
  const connection = cell("connection") === "" ? 0 : amount(cell("connection"));
  if (connection === undefined || connection > dearestPerMinute)
    return `connection should be a fee, such as 0.05, not "${shown(cell("connection"))}"`;
  const [initialS, followingS] = incrementsOf(cell);
  if (initialS === undefined || followingS === undefined)
    return `increments should be whole seconds from 1 to ${longestIncrementS}, such as 60/60 or 1/1`;
  const trunk = trunkOf(cell("trunk"), trunks);
  if (trunk === null)
    return `trunk should be the name of a trunk (${[...trunks].join(", ")}), not "${shown(cell("trunk"))}"`;
  return { prefix, perMinute, connection, initialS, followingS, name: cell("name"), trunk };
}

/** Whole minutes, unless the list says otherwise. */
function incrementsOf(cell: (column: Column) => string): readonly [number | undefined, number | undefined] {
  const both = cell("increments");
  const [initial = "", following = initial] =
    both === "" ? [cell("initial") || "60", cell("following") || cell("initial") || "60"] : both.split("/");
  if (both.split("/").length > 2) return [undefined, undefined];
  return [wholeSeconds(initial), wholeSeconds(following)];
}

function wholeSeconds(text: string): number | undefined {
  const seconds = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  return seconds >= 1 && seconds <= longestIncrementS ? seconds : undefined;
}

/** One comma and no point is a decimal comma. */
function amount(text: string): Money | undefined {
  return parseMoney(text, text.includes(",") ? "," : ".");
}

/** Null: there is no such trunk. */
function trunkOf(text: string, trunks: ReadonlySet<string>): TrunkName | undefined | null {
  if (text === "") return undefined;
  return trunks.has(text) ? trunkName(text) : null;
}

/** A cell may be anything. */
function shown(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
