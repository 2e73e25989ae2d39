// Checks of the PINs of numbers, once they are had from wherever they stand. None is ever repeated in words.
import { promptCodecs } from "../../ports/media-engine.ts";
import type { ConfigFinding } from "../reading/problem.ts";
import { pinForm, pinText } from "../schema/inbound-schema.ts";
import type { Config } from "../schema/schema.ts";

export function* checkPins({ inbound, trunks, media }: Config): Generator<ConfigFinding> {
  for (const [index, { pin, trunks: only }] of inbound.numbers.entries()) {
    if (pin === undefined) continue;
    const path = ["inbound", "numbers", index, "pin"];
    if (!pinForm.test(pin)) yield { path, message: pinText.replace(" in quotes", "") };
    const mute = trunks.findIndex(
      ({ name, media: { codecs } }) =>
        only?.includes(name) !== false && !promptCodecs.some((codec) => codecs.includes(codec)),
    );
    if (media.transcode === "never" && mute >= 0)
      yield {
        path,
        message: `needs ${promptCodecs.join(" or ")} in trunks[${mute}].media.codecs, or media.transcode: auto: without them the caller hears no beep`,
      };
  }
}
