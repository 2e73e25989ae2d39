// The small values a configuration is made of, each with the words that say what it should be.
// A message never repeats the value it is about: it may be a secret in the wrong place.
import * as z from "zod";
import { parseUserId } from "../../core/ids.ts";
import { countries } from "../../core/number/e164.ts";
import { isHost } from "../../core/address/host.ts";
import { isNetwork } from "../../core/address/ip.ts";
import { parseHostPort } from "../../core/address/uri.ts";

/** `error` is used for whatever is wrong with the value. */
export function text(error = "should be text; put it in quotes if it looks like a number"): z.ZodString {
  return z.string({ error }).min(1, { error });
}

function checked(error: string, test: (value: string) => boolean): z.ZodString {
  return z.string({ error }).refine(test, { error });
}

export function whole(min: number, max: number, unit = "number"): z.ZodInt {
  const error = `should be a whole ${unit} from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** A duration; every such key ends in `_seconds`. */
export function seconds(min: number, max: number): z.ZodInt {
  return whole(min, max, "number of seconds");
}

export const flag = z.boolean({ error: "should be true or false" });

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  const error = values.length === 1 ? `should be ${values[0]}` : `should be one of ${values.join(", ")}`;
  return z.enum(values, { error });
}

export function listOf<Item extends z.ZodType>(item: Item, what: string): z.ZodArray<Item> {
  return z.array(item, { error: `should be a list of ${what}` });
}

const shareError = "should be a number from 0 to 1";
/** From none to all. */
export const share = z.number({ error: shareError }).min(0, { error: shareError }).max(1, { error: shareError });

const roomText = 'should be a room id in quotes, such as "!office:example.org"';
export const roomId = z
  .string({ error: roomText })
  .regex(/^![^\s:]+(?::\S+)?$/, { error: roomText })
  .max(255, { error: roomText });

export const filePath = text("should be the path of a file");

/** Of the key with `_file` at its end: where the secret is read from that may also stand in the key without. */
export function secretFile(example: string) {
  return filePath
    .optional()
    .describe("Path of a file that holds it instead.")
    .meta({ examples: [example] });
}

/** A map of names to values: `key` is checked when everything else is right. */
export function mapOf<Value extends z.ZodType>(value: Value, what: string): z.ZodRecord<z.ZodString, Value> {
  return z.record(z.string(), value, { error: `should be a map of ${what}` });
}

/** Refuses keys it does not know. */
export function section<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, { error: (issue) => (issue.code === "invalid_type" ? sectionWords(shape) : undefined) });
}

function sectionWords(shape: z.ZodRawShape): string {
  return `should be a section with the keys ${Object.keys(shape).join(", ")}`;
}

export const hostName = checked("should be a host name or an IP address, without a port", isHost);

/** Splits `host`, `host:port` and `[v6]:port`; undefined if it is none. */
export function splitHostPort(value: string): { readonly host: string; readonly port: number | undefined } | undefined {
  const address = parseHostPort(value);
  return address !== undefined && isHost(address.host) && address.port !== 0 ? address : undefined;
}

export const hostWithPort = checked(
  "should be a host name or an IP address, with :port if it is not the usual one (IPv6 in brackets)",
  (value) => splitHostPort(value) !== undefined,
);

/** Where to bind: an address of this machine, written without brackets. */
export const bindHost = checked("should be an IP address of this machine, 0.0.0.0, :: or localhost", (value) =>
  isHost(value.includes(":") ? `[${value}]` : value),
);

export const serverName = checked(
  "should be the homeserver's server name, the part after the colon in user ids",
  (value) => splitHostPort(value) !== undefined,
);

export const userId = checked(
  'should be a Matrix user id in quotes, such as "@alice:example.org"',
  (value) => parseUserId(value) !== undefined,
);

export const httpUrl = checked(
  "should be a URL that begins with http:// or https:// and has no password, ? or #",
  (value) => {
    const url = /\s/.test(value) ? null : URL.parse(value);
    return (
      url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.search === "" && url.hash === ""
    );
  },
).overwrite((value) => value.replace(/\/+$/, ""));

export const countryCode = z.enum(countries, {
  error: "should be a country's two capital letters (ISO 3166-1), such as GB or DE",
});

export const network = checked("should be a network such as 192.0.2.0/24 or an address", isNetwork);

/** In the set that Synapse takes for a sender, and that no id of a ghost is made of alone. */
export const localpart = checked("should be a localpart of a-z, 0-9, dot, hyphen and underscore", (value) =>
  /^[a-z0-9._-]{1,100}$/.test(value),
);

export const iceUrl = checked("should be a stun:, turn: or turns: URL", (value) =>
  /^(?:stuns?|turns?):[^\s?]+(?:\?transport=(?:udp|tcp))?$/.test(value),
);
