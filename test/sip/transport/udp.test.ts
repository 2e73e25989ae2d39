import { expect, it } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { openUdpBeside } from "../../../src/sip/transport/sockets/udp.ts";
import { closeLater } from "../rig/rig.ts";

/** Opens UDP while the first `taken` numbers are in use for TCP. */
async function open(port: number, taken: number) {
  const tried: number[] = [];
  const { udp, error } = await openUdpBeside(
    { host: "127.0.0.1", port, onDatagram: () => {}, onError: () => {} },
    async (number) => {
      tried.push(number);
      if (tried.length <= taken) throw new Error("in use");
    },
  );
  closeLater(() => udp.close());
  return { port: udp.local.port, error, tried };
}

it("where any port will do, one that TCP has free as well is taken", async () => {
  const { port, error, tried } = await open(0, 2);
  expect(tried).toHaveLength(3);
  expect(tried[2]).toBe(port);
  expect(error).toBeUndefined();
});

it("a configured port is taken although TCP does not have it, and why is told", async () => {
  const wanted = await freePort();
  expect(await open(wanted, 1)).toMatchObject({ port: wanted, error: { message: "in use" }, tried: [wanted] });
});
