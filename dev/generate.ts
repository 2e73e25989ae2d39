// Writes the files that are made from the source: `npm run generate`. A test holds them against the source.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { asteriskFile, synapseFile } from "./config/compose.ts";
import { configurationHandbook } from "./config/handbook.ts";
import { helmValuesSchema } from "./config/helm-schema.ts";
import { initPage } from "./config/init-page.ts";
import { configJsonSchema } from "../src/config/reading/reference.ts";
import { openApiDocument } from "../src/http/admin/openapi.ts";
import { routes } from "../src/http/admin/routes/all.ts";
import { formatRegistration, makeRegistration } from "../src/config/registration/registration.ts";
import { sampleConfig } from "./config/sample.ts";
import { trunkPages } from "./docs/trunk-pages.ts";

/** By path from the top of the repository. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ["config/config.sample.yaml", sampleConfig()],
    ["config/config.schema.json", `${JSON.stringify(configJsonSchema(), null, 2)}\n`],
    ["deploy/compose/asterisk/extensions.conf", asteriskFile("extensions.conf")],
    ["deploy/compose/asterisk/pjsip.conf", asteriskFile("pjsip.conf")],
    ["deploy/compose/synapse/telephone.yaml", synapseFile()],
    ["deploy/helm/matrix-appservice-sip/values.schema.json", `${JSON.stringify(helmValuesSchema(), null, 2)}\n`],
    ["docs/admin-api.json", `${JSON.stringify(openApiDocument(routes), null, 2)}\n`],
    ["docs/configuration.md", configurationHandbook()],
    ["docs/init.md", initPage()],
    ...trunkPages(),
    ["registration.yaml.example", exampleRegistration()],
  ]);
}

function exampleRegistration(): string {
  const facts = { id: "matrix-appservice-sip", bot: "_sip_bot", prefix: "_sip_", domain: "example.org" };
  const registration = makeRegistration(facts, "http://localhost:9993");
  const text = formatRegistration({ ...registration, as_token: "WRITTEN BY -r", hs_token: "WRITTEN BY -r" });
  return `# An example. Write your own: matrix-appservice-sip -r -u http://localhost:9993 -c config.yaml -f registration.yaml\n${text}`;
}

if (import.meta.main) {
  for (const [path, content] of generatedFiles()) {
    const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    process.stdout.write(`${path}\n`);
  }
}
