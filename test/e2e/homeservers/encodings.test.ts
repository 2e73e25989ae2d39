// The encodings of ghosts' user ids on a homeserver that takes today's grammar only: two of them can be called there, and
// the third stops the bridge with the setting to change. The client is the one without a browser.
import { describe, expect, it } from "vitest";
import { createHeadlessCaller } from "../../../dev/headless/caller.ts";
import { toneAt } from "../parts/base/hearing.ts";
import { testRig } from "../parts/base/rig.ts";
import { openRtpEar } from "../parts/telephones/rtp-ear.ts";
import { startSipp } from "../parts/telephones/sipp.ts";
import { startStage } from "../parts/stages/stage.ts";

const NEAR_HZ = 440;
const FAR_HZ = 1000;

const NUMBERS = { national: "01632960501", international: "+441632960501" } as const;
const IN_GRAMMAR = "@_sip_01632960501=40sip.example.org:example.org";

describe("On a homeserver that takes today's user ids only", () => {
  it.for([
    ["grammar", { national: IN_GRAMMAR, international: "@_sip_+441632960501=40sip.example.org:example.org" }],
    ["e164", { national: IN_GRAMMAR, international: "@_sip_+441632960501:example.org" }],
  ] as const)("calls go through with ids in %s, and each side hears the other", async ([encoding, ghosts]) => {
    const rig = testRig();
    const { synapse, ports } = await startStage(rig, NUMBERS, { encoding, strict: true });
    const { user, password } = await synapse.register("alice");
    const caller = await createHeadlessCaller({
      homeserverUrl: synapse.url,
      user,
      password,
      toneHz: NEAR_HZ,
      bindHost: "127.0.0.1",
    });
    rig.defer("caller", () => caller.stop());
    for (const name of ["national", "international"] as const) {
      const ear = await openRtpEar(rig, { toneHz: FAR_HZ });
      const sipp = await startSipp(rig, { scenario: "uas-wait-bye", port: ports[name], rtpPort: ear.port });
      expect(await caller.lookup(NUMBERS[name])).toBe(ghosts[name]);
      const call = await caller.call(NUMBERS[name]);
      await call.until(({ state }) => state === "connected");
      const hears = (frequencies: readonly number[], durationMs: number) =>
        call.heardMs < durationMs ? undefined : call.heard(durationMs, frequencies);
      await Promise.all([toneAt(hears, FAR_HZ, [NEAR_HZ]), toneAt(ear.hears, NEAR_HZ, [FAR_HZ])]);
      await call.hangup();
      await sipp.done();
    }
  });

  it("a bridge with ids in percent stops, and says what to set instead", async () => {
    // It answers for its protocols while it gets to know the homeserver: it may be up for a moment.
    const lastWords = await startStage(testRig(), {}, { encoding: "percent", strict: true }).then(
      async ({ running }) => {
        await running.exited;
        return running.log.text;
      },
      String,
    );
    expect(lastWords).toContain("set ghosts.encoding to grammar (now percent)");
    expect(lastWords).toContain("M_INVALID_USERNAME");
    expect(lastWords).toMatch(/exit code [1-9]/);
  });
});
