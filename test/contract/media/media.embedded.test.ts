import { describe } from "vitest";
import { keypresses } from "../../../dev/audio/telephone-event.ts";
import { startRig } from "../../media/peers/rig.ts";
import { connect } from "../../media/peers/talk.ts";
import { mediaContract } from "./media.contract.ts";

const events = 101;

describe("media over the embedded engine", () => {
  mediaContract(async () => {
    const rig = await startRig();
    return {
      media: rig.engine,
      connect,
      digits: async (_call, trunk, count) => {
        const told = () =>
          keypresses(
            trunk.ear.packets.filter(({ payloadType }) => payloadType === events),
            8000,
          );
        await trunk.ear.until(() => told().length === count);
        return told().map(({ digit }) => digit);
      },
      crash: async () => {
        const started = rig.log.filter(({ message }) => message === "media worker started");
        process.kill(Number(started.at(-1)?.fields["pid"]), "SIGKILL");
        await rig.logged("media worker started", started.length + 1);
      },
      stop: async () => rig.engine.stop(),
    };
  });
});
