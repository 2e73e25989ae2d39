// Rows for spreadsheets: RFC 4180, and nothing in them that a spreadsheet would carry out.

/** What a formula begins with (OWASP, "CSV injection"). */
const formula = /^[=+\-@\t\r\n]/;
/** Telephone numbers, masked ones too, and Matrix user ids begin so and can be no formula: they call nothing. */
const harmless = /^(?:\+[\d*]+|@[a-z0-9._=/-]+:[a-z0-9-]+(?:\.[a-z0-9-]+)+)$/;

export function csvRow(cells: readonly (string | number | boolean | undefined)[]): string {
  return `${cells.map(cellOf).join(",")}\r\n`;
}

function cellOf(value: string | number | boolean | undefined): string {
  if (value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const safe = formula.test(value) && !harmless.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
