// The sections `admin` and `webhook`, with their secrets in place.
import type { ConfigFinding } from "../reading/problem.ts";
import { environmentName } from "../reading/secrets.ts";
import type { Config } from "../schema/schema.ts";

export function* checkAdmin({ admin }: Config): Generator<ConfigFinding> {
  if (admin.token !== undefined && !/^\S{16,200}$/.test(admin.token))
    yield { path: ["admin", "token"], message: "should be a text of 16 to 200 characters without spaces" };
  if (admin.listen !== undefined && admin.token === undefined) {
    yield {
      path: ["admin", "token"],
      message: `is missing: admin.listen needs token, token_file or the environment variable ${environmentName("ADMIN", "TOKEN")}`,
    };
  }
  if (admin.console.enabled && admin.listen === undefined)
    yield { path: ["admin", "console", "enabled"], message: "needs a port: set admin.listen" };
  const { url } = admin.console;
  if (url !== undefined && new URL(url).pathname !== "/")
    yield {
      path: ["admin", "console", "url"],
      message: "should have no path: the console needs a host name of its own",
    };
}

/** 24 to 64 bytes in base64. */
const webhookSecret = /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/;

export function* checkWebhook({ webhook }: Config): Generator<ConfigFinding> {
  if (webhook === undefined || webhookSecret.test(webhook.secret ?? "")) return;
  const message =
    webhook.secret === undefined
      ? `is missing: give secret, secret_file or the environment variable ${environmentName("WEBHOOK", "SECRET")}`
      : "should be whsec_ and 24 to 64 bytes in base64; make one with: echo whsec_$(openssl rand -base64 32)";
  yield { path: ["webhook", "secret"], message };
}
