// The yardstick of lookups: a bare express handler, as one would write it, that answers the same JSON and checks nothing.
import type { AddressInfo } from "node:net";
import express from "express";
import { ghostOf } from "./parts/house.ts";
import { cpuMs } from "./parts/cpu.ts";
import { serve } from "./parts/program.ts";

export type ExpressDialogue = {
  /** The port it listens on. */
  start: { question: undefined; answer: number };
  cpuMs: { question: undefined; answer: number };
};

const app = express();
app.get("/_matrix/app/v1/thirdparty/user/:protocol", (request, response) => {
  const number = request.query["m.id.phone"] as string;
  const { protocol } = request.params;
  response.json([{ userid: ghostOf(number), protocol, fields: { "m.id.phone": number } }]);
});

serve<ExpressDialogue>({
  cpuMs,
  start: () =>
    new Promise((resolve, reject) => {
      const server = app.listen(0, "127.0.0.1", (error) => {
        if (error === undefined) resolve((server.address() as AddressInfo).port);
        else reject(error);
      });
    }),
});
