import { describe } from "vitest";
import { createCallMedia } from "../../../src/media/negotiation/negotiation.ts";
import { FakeMediaEngine } from "../../fakes/media-engine.ts";
import { mediaContract } from "./media.contract.ts";

describe("media over the fake engine", () => {
  mediaContract(async () => {
    const engine = new FakeMediaEngine();
    return {
      media: createCallMedia(engine),
      connect: async () => undefined,
      digits: async (call) => {
        const session = [...engine.sessions].find(({ options }) => options.call === call);
        return (session?.digits ?? []).filter(({ to }) => to === "b").map(({ digit }) => digit);
      },
      crash: async () => engine.crash(),
      stop: async () => undefined,
    };
  });
});
