// What commands print: tables and lists for people, JSON for programs. What strangers chose (rooms, names, reasons) gives a
// terminal no orders.

/** Control characters, and those that turn the direction of a line. */
// oxlint-disable-next-line no-control-regex -- control characters are what is replaced
const commands = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export function plain(text: string): string {
  return text.replaceAll(commands, "?");
}

/** The heads stand over the columns; without rows `none` is all there is. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[], none: string): string {
  if (rows.length === 0) return `${none}\n`;
  const all = [heads, ...rows.map((row) => row.map(plain))];
  const widths = heads.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

/** Label and value, without those that have none. */
export function list(rows: readonly (readonly [string, string | undefined])[]): string {
  const lines = rows.flatMap(([label, value]) => (value ? [`${label.padEnd(14)}${plain(value)}`] : []));
  return `${lines.join("\n")}\n`;
}

export function json(value: unknown): string {
  return `${jsonText(value, 2)}\n`;
}

/** JSON leaves some control characters as they are. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(
    // oxlint-disable-next-line no-control-regex -- control characters are what is escaped
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** `2026-11-30 12:00:05`; the API's times are in UTC. */
export function moment(time: string | undefined): string {
  return time === undefined ? "" : time.slice(0, 19).replace("T", " ");
}

/** `1 h 05 min`, `2 min 03 s`, `7 s`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (part: number): string => String(part).padStart(2, "0");
  if (hours > 0) return `${hours} h ${two(minutes)} min`;
  return minutes > 0 ? `${minutes} min ${two(seconds % 60)} s` : `${seconds} s`;
}
