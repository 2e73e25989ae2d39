import { describe } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { FakeSfu } from "../../fakes/sfu/sfu.ts";
import { conferenceContract } from "./conference.contract.ts";

const token = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.e30`;

describe("a conference at a server of the tests", () => {
  conferenceContract(async () => {
    const port = await freePort();
    let sfu = await FakeSfu.start(port);
    return {
      admission: async (sub, room) => ({ url: `http://127.0.0.1:${port}`, token: token({ sub, video: { room } }) }),
      restart: async () => {
        await sfu.stop();
        sfu = await FakeSfu.start(port);
      },
      stop: async () => sfu.stop(),
    };
  });
});
