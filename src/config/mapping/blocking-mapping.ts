// From the section `blocking` to what the bridge takes.
import type { Config } from "../schema/schema.ts";

export function toBlocking({ blocking }: Config) {
  const { response, anonymous, spam, failed_verification: failedVerification } = blocking;
  return { response, anonymous, spam, failedVerification };
}
