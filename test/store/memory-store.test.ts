import { openMemoryStore } from "../../src/store/memory-store.ts";
import { describeStore } from "../contract/store.ts";

describeStore("the memory store", async () => openMemoryStore());
