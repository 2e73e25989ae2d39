// One end of a session as the relay sees it: a WebRTC client, a participant of a conference, or a trunk. A leg has its own transport and keys; what is said
// of it is decided above the engine, what is heard in the relay.

/**
 * `closed`: the client has closed its end (DTLS close_notify), which the library calls "disconnected" at once. `lost`: its
 * packets stopped, which ICE notices after 30 s (RFC 7675 s5.1), or the handshake failed; the library says "failed". Of a
 * participant: the person's clients have left the conference; or we have, and were not let in again.
 */
export type Gone = "closed" | "lost";

export interface LegReports {
  rtp(packet: Buffer): void;
  rtcp(packet: Buffer): void;
  /** Media can flow. Each time a transport comes up. */
  connected(): void;
  /** No transport is left; the peer may come back. */
  gone(how: Gone): void;
  /** There never was one, and none comes any more. */
  failed(message: string): void;
  log(level: "debug" | "info" | "warn", message: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface Leg {
  readonly isConnected: boolean;
  /** False if there is nowhere to send it now. */
  sendRtp(packet: Buffer): boolean;
  sendRtcp(packet: Buffer): void;
  close(): Promise<void>;
}
