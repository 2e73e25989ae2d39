// Host names in the c= lines of a trunk's SDP (RFC 8866 s5.7): looked up before the text is read, as everything behind it
// deals in addresses. What cannot be looked up stays as it is, and is refused there.
import { lookup } from "node:dns/promises";
import { addressFamily } from "../../core/address/ip.ts";

/** IP address of `host` in that family. May reject. */
export type LookUp = (host: string, family: 4 | 6) => Promise<string>;

const connectionLine = /^(c=IN IP([46]) )([^\s/]+)(?=\s*$)/gm;
const hostForm =
  /^(?=.{1,253}$)(?=.*[a-z])(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)*[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.?$/i;
/** A session and its sections have one name, rarely two; more are somebody's attempt to have us ask around. */
const mostNames = 2;
/** Whoever calls, or has picked up, waits for it. */
const timeoutMs = 2000;
/** Look-ups of a worker at once: the machine's resolver has few threads, and they may hang for longer than we wait. */
const mostAtOnce = 2;
/** By family and host: calls that begin together mostly ask for the same name, and share its answer. */
const underWay = new Map<string, Promise<string | undefined>>();

/** `sdp` with addresses in the place of names. Never rejects, and takes 2 s at most. */
export async function withAddresses(sdp: string, lookUp: LookUp = lookUpHere): Promise<string> {
  const names = new Map<string, { readonly host: string; readonly family: 4 | 6 }>();
  for (const [, , family = "", host = ""] of sdp.matchAll(connectionLine))
    if (addressFamily(host) === undefined && hostForm.test(host))
      names.set(`${family} ${host}`, { host, family: family === "6" ? 6 : 4 });
  if (names.size === 0 || names.size > mostNames) return sdp;
  const found = new Map<string, string>();
  await Promise.all(
    [...names].map(async ([key, { host, family }]) => {
      const address = await bounded(host, family, lookUp);
      if (address !== undefined) found.set(key, address);
    }),
  );
  return sdp.replace(connectionLine, (line, start: string, family: string, host: string) => {
    const address = found.get(`${family} ${host}`);
    return address === undefined ? line : `${start}${address}`;
  });
}

async function bounded(host: string, family: 4 | 6, lookUp: LookUp): Promise<string | undefined> {
  const patience = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      patience.abort();
      resolve(undefined);
    }, timeoutMs);
  });
  const address = await Promise.race([shared(host, family, lookUp, patience.signal), late]);
  clearTimeout(timer);
  return address !== undefined && addressFamily(address) === family ? address : undefined;
}

/** Waits for its turn; nothing is asked any more once `signal` says that nobody waits. */
async function shared(host: string, family: 4 | 6, lookUp: LookUp, signal: AbortSignal): Promise<string | undefined> {
  const key = `${family} ${host}`;
  while (!underWay.has(key) && underWay.size >= mostAtOnce) {
    await Promise.race(underWay.values());
    if (signal.aborted) return undefined;
  }
  const asked =
    underWay.get(key) ??
    lookUp(host, family)
      .catch(() => undefined)
      .finally(() => underWay.delete(key));
  underWay.set(key, asked);
  return asked;
}

async function lookUpHere(host: string, family: 4 | 6): Promise<string> {
  return (await lookup(host, { family })).address;
}
