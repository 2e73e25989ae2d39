// The container's healthcheck: asks the bridge at the address that its configuration names. It parses that file and loads nothing
// else of the bridge, because it runs every 30 s beside calls.
import { readFileSync } from "node:fs";
import { parse } from "yaml";

const { host = "127.0.0.1", port = 9994 } = parse(readFileSync(process.argv[2], "utf8"))?.http?.listen ?? {};
const near = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
const url = `http://${near.includes(":") ? `[${near}]` : near}:${port}/health`;

try {
  const { ok, status } = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(4_000) });
  if (!ok) console.error(`${url} answers ${status}`);
  process.exitCode = ok ? 0 : 1;
} catch (error) {
  console.error(`${url}: ${error.cause?.code ?? error.message}`);
  process.exitCode = 1;
}
