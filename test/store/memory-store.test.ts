import { openMemoryStore } from "../fakes/memory-store.ts";
import { describeStore } from "../contract/store.ts";

describeStore("the memory store", async () => openMemoryStore());
