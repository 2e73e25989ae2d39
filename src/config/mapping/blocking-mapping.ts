// From the section `blocking` to what the bridge takes.
import type { Config } from "../schema/schema.ts";

export function toBlocking({ blocking: { response } }: Config) {
  return { response };
}
