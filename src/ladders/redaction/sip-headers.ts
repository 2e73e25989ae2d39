// Which SIP headers a ladder shows, and how: this list is all that there is. A header that is not on it is counted, not even named.
import {
  identifier,
  removed,
  shownAddresses,
  shownParameters,
  shownVias,
  splitOutside,
  type Forms,
} from "./sip-address.ts";
import { eventPackages, mediaTypes, methods, optionTags, products } from "./words.ts";

type Show = (value: string) => string;

const digits = /^\d{1,10}$/;

const number: Show = (value) => (digits.test(value) ? value : removed);
const hidden: Show = () => removed;

/** Comma-separated words, as far as they are known. */
function words(known: ReadonlySet<string>): Show {
  return (value) => {
    const all = value.split(",").map((word) => word.trim());
    const kept = all.filter((word) => known.has(word));
    return [...kept, ...(kept.length < all.length ? ["left-out"] : [])].join(", ");
  };
}

/** One word and its parameters. */
function word(isKnown: (text: string) => boolean, forms: Forms): Show {
  return (value) => {
    const [first = "", ...parameters] = splitOutside(value, ";");
    const text = first.trim();
    return `${isKnown(text) ? text : removed}${shownParameters(parameters, forms)}`;
  };
}

function each(show: Show): Show {
  return (value) =>
    splitOutside(value, ",")
      .map((part) => show(part.trim()))
      .join(", ");
}

const cseq: Show = (value) => {
  const [count = "", method = ""] = value.trim().split(/\s+/);
  return `${number(count)} ${methods.has(method) ? method : removed}`;
};

const rack: Show = (value) => {
  const [first = "", ...rest] = value.trim().split(/\s+/);
  return `${number(first)} ${cseq(rest.join(" "))}`;
};

/** What the algorithm is, and no more: the rest helps whoever guesses the password. */
const digest: Show = (value) => {
  const algorithm = /\balgorithm="?(MD5|MD5-sess|SHA-256|SHA-256-sess|SHA-512-256)"?(?=[,\s]|$)/i.exec(value)?.[1];
  const stale = /\bstale="?(true|false)"?/i.exec(value)?.[1];
  const kept = [algorithm && `algorithm=${algorithm}`, stale && `stale=${stale}`].filter(Boolean);
  return `${/^digest\s/i.test(value) ? "Digest " : ""}${[...kept, removed].join(", ")}`;
};

const dialogForms: Forms = {
  "to-tag": identifier,
  "from-tag": identifier,
  "local-tag": identifier,
  "remote-tag": identifier,
  "early-only": /^$/,
};
const dialog = word((text) => identifier.test(text), dialogForms);

const program: Show = (value) =>
  value
    .slice(0, 200)
    .split(/([\s/()]+)/)
    .map((part) =>
      /^(?:[\s/()]*|v?\d{1,4}(?:\.\d{1,5}){0,4})$/.test(part) || products.has(part.toLowerCase()) ? part : "*",
    )
    .join("");

const mediaType = word((text) => mediaTypes.has(text.toLowerCase()), {});
const date = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

interface Shown {
  readonly name: string;
  readonly show: Show;
}

const table: readonly (readonly [names: string, show: Show])[] = [
  ["Via", shownVias],
  [
    "From To Contact Route Record-Route P-Asserted-Identity P-Preferred-Identity Remote-Party-ID Diversion",
    shownAddresses,
  ],
  ["Refer-To Referred-By Reply-To History-Info Path Service-Route P-Called-Party-ID P-Associated-URI", shownAddresses],
  ["Call-ID In-Reply-To", (value) => (identifier.test(value) ? value : removed)],
  ["CSeq", cseq],
  ["RAck", rack],
  ["Max-Forwards Content-Length Expires Min-Expires Min-SE RSeq", number],
  [
    "Retry-After",
    word((text) => digits.test(text.split(/[\s(]/, 1)[0] ?? "") && digits.test(text), { duration: digits }),
  ],
  ["Session-Expires", word((text) => digits.test(text), { refresher: /^(?:uac|uas)$/i })],
  ["Allow", words(methods)],
  ["Supported Require Proxy-Require Unsupported", words(optionTags)],
  ["Accept", each(mediaType)],
  ["Content-Type", mediaType],
  ["Allow-Events", words(eventPackages)],
  ["Event", word((text) => eventPackages.has(text), { id: digits })],
  [
    "Subscription-State",
    word((text) => /^(?:active|pending|terminated)$/.test(text), {
      expires: digits,
      "retry-after": digits,
      reason: /^(?:deactivated|probation|rejected|timeout|giveup|noresource|invariant)$/,
    }),
  ],
  ["Reason", each(word((text) => /^(?:SIP|Q\.850|RELEASE_CAUSE)$/i.test(text), { cause: digits }))],
  ["Warning", each((value) => `${number(value.split(" ", 1)[0] ?? "")} - ${removed}`)],
  [
    "Privacy",
    word((text) => /^(?:none|id|user|header|session|critical|history)$/.test(text), { id: /^$/, critical: /^$/ }),
  ],
  ["Replaces Target-Dialog Join", dialog],
  ["Refer-Sub", (value) => (/^(?:true|false)$/.test(value) ? value : removed)],
  ["User-Agent Server", program],
  ["Date", (value) => (date.test(value) ? value : removed)],
  ["Authorization Proxy-Authorization WWW-Authenticate Proxy-Authenticate Authentication-Info", digest],
  ["Identity Identity-Info Subject Organization P-Charging-Vector P-Access-Network-Info", hidden],
];

const shortNames: Readonly<Record<string, string>> = {
  a: "accept-contact",
  b: "referred-by",
  c: "content-type",
  e: "content-encoding",
  f: "from",
  i: "call-id",
  k: "supported",
  l: "content-length",
  m: "contact",
  o: "event",
  r: "refer-to",
  s: "subject",
  t: "to",
  u: "allow-events",
  v: "via",
  x: "session-expires",
  y: "identity",
};

const known = new Map<string, Shown>(
  table.flatMap(([names, show]) => names.split(" ").map((name) => [name.toLowerCase(), { name, show }] as const)),
);

/** In lower case and long. */
export function canonicalName(name: string): string {
  const lower = name.trim().toLowerCase();
  return shortNames[lower] ?? lower;
}

/** Undefined: the header is not on the list. */
export function shownHeader(canonical: string, value: string): string | undefined {
  const found = known.get(canonical);
  return found && `${found.name}: ${found.show(value)}`;
}
