// What the bot says: the same in plain text and in HTML. What strangers chose (numbers, names, reasons) is text in both.

export interface Reply {
  readonly text: string;
  /** Undefined: as plain text is. */
  readonly html: string | undefined;
}

/** A line of a list; what can be written to the bot stands in front, as code. */
export interface Item {
  readonly code?: string;
  readonly text: string;
}

/** A sentence, and perhaps a list below it. */
export function reply(head: string, items: readonly (Item | string)[] = [], tail = ""): Reply {
  const said = clean(head);
  if (items.length === 0 && tail === "") return { text: said, html: undefined };
  const all = items.map((item) => (typeof item === "string" ? { text: item } : item));
  const lines = all.map(({ code, text }) => clean(code === undefined ? `• ${text}` : `${code} – ${text}`));
  const entries = all.map(({ code, text }) => {
    const words = escaped(text);
    return `<li>${code === undefined ? words : `<code>${escaped(code)}</code> – ${words}`}</li>`;
  });
  return {
    text: [said, ...lines, ...(tail === "" ? [] : [clean(tail)])].join("\n"),
    html: `<p>${escaped(head)}</p>${entries.length === 0 ? "" : `<ul>${entries.join("")}</ul>`}${tail === "" ? "" : `<p>${escaped(tail)}</p>`}`,
  };
}

/** Without control characters and those that turn the direction of a line. */
function clean(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "");
}

function escaped(text: string): string {
  return clean(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** `2 h 05 min`, `3 min`, `12 s`. */
export function lengthText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** `3 min ago`: true whatever time zone the reader is in. */
export function agoText(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ago`;
  return `${Math.floor(hours / 24)} days ago`;
}
