// Writing bytes as a mark and two hex digits, the one trick that SIP URIs, percent ids and grammar ids share.
// What stands as it is differs by user and is given.

export interface Escaping {
  readonly mark: string;
  /** One character that stands as it is. */
  readonly plain: RegExp;
  /** Characters in a row that do not. */
  readonly strange: RegExp;
  /** The case in which hex is written; any is read. */
  readonly hex: "lower" | "upper";
}

/**
 * @param mark `%` or `=`; a plain character only where escapes stand already
 * @param plain the ASCII characters that stand as they are, as inside the brackets of a regular expression
 */
export function escaping(mark: string, plain: string, hex: Escaping["hex"] = "lower"): Escaping {
  return { mark, plain: new RegExp(`^[${plain}]$`), strange: new RegExp(`[^${plain}]+`, "g"), hex };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Escapes the UTF-8 of `text`. A lone surrogate becomes U+FFFD, as everywhere on the web. */
export function escapeBytes(text: string, { mark, strange, hex }: Escaping): string {
  // As most are.
  if (text.search(strange) < 0) return text;
  return text.replaceAll(strange, (characters) => {
    let out = "";
    for (const byte of encoder.encode(characters)) out += mark + byte.toString(16).padStart(2, "0");
    return hex === "lower" ? out : out.toUpperCase();
  });
}

/** Undoes `escapeBytes`, taking any hex case and needless escapes; undefined on a stray character or bytes that are not UTF-8. */
export function unescapeBytes(text: string, { mark, plain }: Escaping): string | undefined {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === mark) {
      const hex = text.slice(at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return undefined;
      bytes.push(Number.parseInt(hex, 16));
      at += 2;
    } else if (plain.test(char)) {
      bytes.push(char.charCodeAt(0));
    } else {
      return undefined;
    }
  }
  try {
    return decoder.decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}
