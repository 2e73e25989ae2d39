// A peer and a stack that talks to it, closed after each test.
import { afterAll, afterEach, vi } from "vitest";
import type { SipTransportName, TrunkSettings } from "../../../src/ports/sip.ts";
import { Authority, type Issued } from "./certificates.ts";
import { Peer, type PeerOptions } from "./peer.ts";
import { Stack, trunkSettings, type StackOptions } from "./stack.ts";

export interface Rig {
  readonly peer: Peer;
  readonly stack: Stack;
}

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of open.splice(0).toReversed()) await close();
});

/** Closes after the test, last opened first. */
export function closeLater(close: () => Promise<void>): void {
  open.push(close);
}

/** 64*T1 as the RFC has it, ms. */
export const TRANSACTION_MS = 32_000;

/**
 * Time stands still until the test lets it pass, with the RFC's own timers; sockets go on. Start nothing before it that
 * has to be stopped by its own timers.
 */
export function standStill(): (ms: number) => void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  return (ms) => void vi.advanceTimersByTime(ms);
}

export async function startPeer(options: PeerOptions = {}): Promise<Peer> {
  const peer = await Peer.start(options);
  closeLater(() => peer.close());
  return peer;
}

export async function startStack(settings: TrunkSettings | TrunkSettings[], more: StackOptions = {}): Promise<Stack> {
  const stack = await Stack.start(settings, more);
  closeLater(() => stack.stop());
  return stack;
}

let authority: Authority | undefined;
let issued: Issued | undefined;
afterAll(() => authority?.remove());

/** One authority for a file of tests, and the server certificate it gave for localhost. */
export function certificates(): { authority: Authority; server: Issued } {
  authority ??= new Authority();
  issued ??= authority.issue("server", "DNS:localhost,IP:127.0.0.1");
  return { authority, server: issued };
}

/** A peer of that transport and a stack whose trunk is connected to it. */
export async function rig(
  transport: SipTransportName = "udp",
  settings: Partial<TrunkSettings> = {},
  more: StackOptions & { peer?: PeerOptions } = {},
): Promise<Rig> {
  const encrypted = transport === "tls" || transport === "wss";
  const tls = encrypted ? { tls: certificates().server } : {};
  const { peer: peerOptions, ...options } = more;
  const peer = await startPeer({ transport, ...tls, ...peerOptions });
  const trusted = {
    ca: encrypted ? certificates().authority.ca : undefined,
    certificate: undefined,
    key: undefined,
    serverName: undefined,
  };
  const stack = await startStack(trunkSettings(peer.port, { transport, tls: trusted, ...settings }), options);
  return { peer, stack };
}
