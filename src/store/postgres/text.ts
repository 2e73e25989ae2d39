// PostgreSQL stores every text but one that contains NUL, and what Matrix calls an id may. NUL is written as two other
// characters. The first of them, which Unicode keeps for such uses, is escaped too, so that no two texts become one.
const escape = "\uFFFF";
const escaped = /[\0\uFFFF]/g;
const escapes = /\uFFFF([01])/g;

export function toColumn(value: unknown): unknown {
  if (typeof value !== "string") return value;
  return value.replaceAll(escaped, (character) => escape + (character === escape ? "1" : "0"));
}

export function fromColumn(value: string): string {
  if (!value.includes(escape)) return value;
  return value.replaceAll(escapes, (_, which) => (which === "1" ? escape : "\0"));
}
