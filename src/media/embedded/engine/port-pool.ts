// The RTP port pairs of the whole engine: even for RTP, the next one for RTCP (RFC 3550 s11). A freed pair rests, so
// that late packets of the last call do not reach the next one, but only while there are other pairs: a late packet costs
// less than a call that is refused.
import { randomInt } from "node:crypto";

export class PortPool {
  /** In the order in which they are taken: the pair that was freed longest ago comes first. */
  readonly #free: number[];

  constructor(portMin: number, portMax: number) {
    const ports: number[] = [];
    for (let port = portMin + (portMin % 2); port + 1 <= portMax; port += 2) ports.push(port);
    // In no order that could be foreseen by somebody who wants to be first at a call's port.
    for (let index = ports.length - 1; index > 0; index -= 1) {
      const other = randomInt(index + 1);
      [ports[index], ports[other]] = [ports[other] ?? 0, ports[index] ?? 0];
    }
    this.#free = ports;
  }

  /** Pairs that could be taken now. */
  get free(): number {
    return this.#free.length;
  }

  take(): number | undefined {
    return this.#free.shift();
  }

  /** That very pair, if it is free. */
  takeThis(port: number): boolean {
    const index = this.#free.indexOf(port);
    if (index >= 0) this.#free.splice(index, 1);
    return index >= 0;
  }

  giveBack(port: number): void {
    this.#free.push(port);
  }
}
