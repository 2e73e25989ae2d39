// What a calling client and a bridge may count on from a homeserver. The same suite runs
// over the small homeserver of dev/ and over a real Synapse: what one does differently
// from the other is a failure here.
import { afterAll, beforeAll, describe } from "vitest";
import { clientContract } from "./homeserver/clients.contract.ts";
import { ghostContract } from "./homeserver/ghosts.contract.ts";
import { inboundContract } from "./homeserver/inbound.contract.ts";
import { lookupContract } from "./homeserver/lookups.contract.ts";
import { pushContract } from "./homeserver/pushes.contract.ts";
import type { HomeserverUnderTest } from "./homeserver/rig.ts";
import { HomeserverRig } from "./homeserver/rig.ts";
import { roomContract } from "./homeserver/rooms.contract.ts";
import { rtcContract } from "./homeserver/rtc.contract.ts";

export type { HomeserverUnderTest } from "./homeserver/rig.ts";

/** `start` may take two minutes; nobody may have asked the server for its protocols yet. */
export function homeserverContract(name: string, start: () => Promise<HomeserverUnderTest>): void {
  describe(`${name}: what a client and a bridge count on`, () => {
    let rig: HomeserverRig | undefined;
    const ready = () => {
      if (!rig) throw new Error("The homeserver has not started");
      return rig;
    };

    beforeAll(async () => {
      rig = new HomeserverRig(await start());
    }, 120_000);

    afterAll(async () => {
      await rig?.server.stop();
    });

    ghostContract(ready);
    lookupContract(ready);
    roomContract(ready);
    pushContract(ready);
    clientContract(ready);
    inboundContract(ready);
    rtcContract(ready);
  });
}
