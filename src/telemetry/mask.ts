// What a log line must not contain: telephone numbers unless configured, SDP except at trace, keys and passwords never.
// Masks whole fields by name, and text by what is in it.

interface Showing {
  /** The line is at level trace. */
  readonly sdp: boolean;
  /** The line is at level error. */
  readonly stack: boolean;
}

/** Fields that hold a telephone number, a SIP address or a name made of one. */
const numberFields: ReadonlySet<string> = new Set([
  "number",
  "dialled",
  "phone",
  "target",
  "called",
  "callee",
  "caller",
  "account",
  "displayName",
  "uri",
]);
const secretFields = [
  /(?:^|[_-])(?:token|password|passphrase|pwd|secret|credentials?|authorization|privatekey|key)$/i,
  /[a-z](?:Token|Password|Passphrase|Pwd|Secret|Credentials?|Authorization|PrivateKey|Key)$/,
];

/** Numbers inside text: the user part of a SIP address with its parameters, a tel URI, and what SDP says of who made it. */
const numbersInText = [/\bsips?:[^@\s<>"']+(?=@)/gi, /\btel:[^\s;>"']+/gi, /^(?:p=[^\r\n]*|o=\S*)/gim];
const secretLines = [
  /^(a=(?:crypto|ice-pwd|key-mgmt)):[^\r\n]*/gim,
  // RFC 4566 s5.12, obsolete and still understood by some.
  /^(k=[a-z0-9]*)[^\r\n]*/gim,
  /^((?:proxy-)?authorization|(?:www|proxy)-authenticate):[^\r\n]*/gim,
];
const tokenInText = /\bBearer\s+\S+|\baccess_token=[^\s&"']+/gi;

/** From its first line to the end of the text: a SIP message ends with its body. */
const sdpInText = /^v=0\r?\n[\s\S]*/m;

const shownDigits = 2;
const maxDepth = 6;
const maxItems = 50;
/** Peers choose how much they say in an error. SDP is long, and wanted at trace. */
const maxCharacters = 4_000;

/** All digits but the last two become `*`. */
function maskDigits(text: string): string {
  const digits = text.replaceAll(/[^0-9]/g, "").length;
  let seen = 0;
  return text.replaceAll(/[0-9]/g, (digit) => (++seen > digits - shownDigits ? digit : "*"));
}

export class Mask {
  readonly #maskNumbers: boolean;
  readonly #numbersInText: readonly RegExp[];

  /** `ghostPrefix` begins the localpart of every ghost, which holds a number up to its gateway. */
  constructor(maskNumbers: boolean, ghostPrefix: string) {
    this.#maskNumbers = maskNumbers;
    const prefix = ghostPrefix.replaceAll(/[^a-z0-9_]/gi, String.raw`\$&`);
    this.#numbersInText = [new RegExp(`(?:@|%40)${prefix}(?:(?!%40|=40)[^:\\s"'])+`, "gi"), ...numbersInText];
  }

  number(number: string): string {
    return this.#maskNumbers ? maskDigits(number) : number;
  }

  fields(fields: Readonly<Record<string, unknown>>, showing: Showing): Readonly<Record<string, unknown>> {
    return this.#object(fields, showing, 0);
  }

  #object(object: object, showing: Showing, depth: number): Readonly<Record<string, unknown>> {
    const clean: Record<string, unknown> = {};
    const fields: readonly [string, unknown][] = Object.entries(object);
    for (const [name, value] of fields) {
      if (secretFields.some((form) => form.test(name))) clean[name] = "[removed]";
      else if (typeof value === "string" && this.#maskNumbers && numberFields.has(name))
        clean[name] = maskDigits(value);
      else clean[name] = this.#value(value, showing, depth + 1);
    }
    return clean;
  }

  #value(value: unknown, showing: Showing, depth: number): unknown {
    if (typeof value === "string") return this.#text(value, showing.sdp);
    if (typeof value === "bigint") return value.toString();
    if (typeof value !== "object" || value === null) return value;
    if (depth > maxDepth) return "[deeper]";
    if (value instanceof Error) return this.#error(value, showing, depth);
    if (Array.isArray(value)) return value.slice(0, maxItems).map((item) => this.#value(item, showing, depth + 1));
    return this.#object(value, showing, depth);
  }

  #error(error: Error, showing: Showing, depth: number): unknown {
    const { name, message, stack, cause } = error;
    return {
      name,
      ...("code" in error ? { code: this.#value(error.code, showing, depth + 1) } : {}),
      message: this.#text(message, showing.sdp),
      ...(cause === undefined ? {} : { cause: this.#value(cause, showing, depth + 1) }),
      ...(showing.stack && stack !== undefined ? { stack: this.#text(stack, showing.sdp) } : {}),
    };
  }

  #text(text: string, showSdp: boolean): string {
    let clean = text.replaceAll(tokenInText, "[removed]");
    if (!showSdp) clean = clean.replace(sdpInText, (sdp) => `[SDP, ${sdp.length} characters]`);
    for (const line of secretLines) clean = clean.replaceAll(line, "$1:[removed]");
    if (this.#maskNumbers) for (const place of this.#numbersInText) clean = clean.replaceAll(place, maskDigits);
    return showSdp || clean.length <= maxCharacters ? clean : `${clean.slice(0, maxCharacters)}…`;
  }
}
