import { describe } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { fakeAdmission, FakeSfu } from "../../fakes/sfu/sfu.ts";
import { conferenceContract } from "./conference.contract.ts";

describe("a conference at a server of the tests", () => {
  conferenceContract(async () => {
    const port = await freePort();
    let sfu = await FakeSfu.start(port);
    return {
      admission: async (identity, room) => fakeAdmission(port, identity, room),
      restart: async () => {
        await sfu.stop();
        sfu = await FakeSfu.start(port);
      },
      stop: async () => sfu.stop(),
    };
  });
});
