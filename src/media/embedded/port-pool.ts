// The RTP port pairs of the whole engine: even for RTP, the next one for RTCP (RFC 3550 s11). A freed pair rests, so
// that late packets of the call before do not come to the next one.
import { randomInt } from "node:crypto";

export class PortPool {
  readonly #restMs: number;
  /** In the order in which they may be taken: what was freed longest ago comes first. */
  readonly #waiting: { readonly port: number; readonly restedAtMs: number }[];

  constructor(portMin: number, portMax: number, restMs: number) {
    this.#restMs = restMs;
    const ports: number[] = [];
    for (let port = portMin + (portMin % 2); port + 1 <= portMax; port += 2) ports.push(port);
    // In no order that could be foreseen by somebody who wants to be first at a call's port.
    for (let index = ports.length - 1; index > 0; index -= 1) {
      const other = randomInt(index + 1);
      [ports[index], ports[other]] = [ports[other] ?? 0, ports[index] ?? 0];
    }
    this.#waiting = ports.map((port) => ({ port, restedAtMs: 0 }));
  }

  /** Pairs that could be taken now. */
  free(nowMs: number): number {
    return this.#waiting.filter((pair) => pair.restedAtMs <= nowMs).length;
  }

  take(nowMs: number): number | undefined {
    const first = this.#waiting[0];
    if (first === undefined || first.restedAtMs > nowMs) return undefined;
    this.#waiting.shift();
    return first.port;
  }

  giveBack(port: number, nowMs: number): void {
    this.#waiting.push({ port, restedAtMs: nowMs + this.#restMs });
  }
}
