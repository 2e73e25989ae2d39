import { describe } from "vitest";
import { NotedMedia } from "../../fakes/media.ts";
import { mediaContract } from "./media.contract.ts";

describe("media over the fake engine, as scenarios have it", () => {
  mediaContract(async () => {
    const media = new NotedMedia();
    const { engine } = media;
    return {
      media,
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
