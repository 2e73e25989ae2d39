// The section `webhook`: who is told over HTTP what happens.
import { webhookEvents } from "../../ports/admin/bridge-event.ts";
import { httpUrl, listOf, oneOf, secretFile, section, text } from "./scalars.ts";

export const webhook = section({
  url: httpUrl.describe("Where messages are posted to.").meta({ examples: ["https://billing.example.org/calls"] }),
  secret: text()
    .optional()
    .describe(
      "The key with which messages are signed, as Standard Webhooks has it: `whsec_` and 24 to 64 bytes in base64. Make one with `echo whsec_$(openssl rand -base64 32)`. The environment variable MATRIX_SIP_WEBHOOK_SECRET overrides it.",
    )
    .meta({ examples: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] }),
  secret_file: secretFile("webhook-secret"),
  events: listOf(oneOf(webhookEvents), "events")
    .default(["call.began", "call.connected", "call.ended"])
    .describe("What is told."),
})
  .optional()
  .describe(
    "An address that is told what happens: calls that begin, are answered and end, say. Each message is signed, and repeated until it is taken (docs/admin.md).",
  );
