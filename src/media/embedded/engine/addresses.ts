// The addresses that our SDP and candidates name: what the configuration says, resolved, or what this machine has.
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { isUnspecified } from "../../../core/address/ip.ts";
import { MediaError } from "../../../ports/media.ts";

/** Somewhere beyond every router (RFC 5737, RFC 3849). Nothing is sent there. */
const faraway = { 4: "198.51.100.1", 6: "2001:db8::1" } as const;

/** `advertised` as an IP address of the family of `host`; without it `host`, or for "all" the address of the default route. Throws MediaError. */
export async function rtpAddress(host: string, advertised: string | undefined): Promise<string> {
  const family = isIP(host) === 6 ? 6 : 4;
  if (advertised !== undefined) return resolve(advertised, family);
  if (!isUnspecified(host)) return host;
  const address = await routedAddress(family);
  if (address === undefined)
    throw new MediaError("engine", "no address for RTP is known: name one as advertised, or bind to one");
  return address;
}

/** Where to bind, as an IP address: `localhost` is IPv4 where it is both. Throws MediaError. */
export async function bindAddress(host: string): Promise<string> {
  return isIP(host) === 0 ? resolve(host, 0) : host;
}

/** As IP addresses. Throws MediaError. */
export async function iceAddresses(hosts: readonly string[]): Promise<string[]> {
  return Promise.all(hosts.map(async (host) => resolve(host, 0)));
}

async function resolve(host: string, family: 0 | 4 | 6): Promise<string> {
  try {
    return (await lookup(host, { family, order: "ipv4first" })).address;
  } catch (cause) {
    throw new MediaError("engine", `no address is found for ${host}`, { cause });
  }
}

/** The address that packets to far away would come from: connecting a UDP socket asks the routes and sends nothing. */
async function routedAddress(family: 4 | 6): Promise<string | undefined> {
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  try {
    await new Promise<void>((done, failed) => {
      socket.once("error", failed);
      socket.connect(9, faraway[family], done);
    });
    return socket.address().address;
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}
