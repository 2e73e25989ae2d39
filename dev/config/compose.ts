// Files of deploy/compose that follow from the presets of `init`.
import { fillLines } from "../../src/config/presets/fill.ts";
import { homeserverPresets } from "../../src/config/presets/homeservers.ts";
import { asterisk } from "../../src/config/presets/asterisk.ts";

const head = (mark: string): string =>
  `${mark} \`npm run generate\` makes this file from the source; do not edit it.\n`;

/** setup.sh puts the secret and the number in. */
const answers = { username: "matrix", server_port: "5060", secret: "@PASSWORD@" };

/** All that is to go into one file of Asterisk's. */
export function asteriskFile(name: string): string {
  const pastes = asterisk.paste.filter(({ where }) => where.startsWith(`In ${name}`));
  const lines = pastes.map(({ lines: own }) => fillLines(own, answers, ["@NUMBER@"]).join("\n"));
  return `${head(";")}; setup.sh fills in what stands between @.\n${lines.join("\n\n")}\n`;
}

/** What differs from the configuration that Synapse writes for itself. */
export function synapseFile(): string {
  const limits = homeserverPresets.find(({ id }) => id === "synapse")?.limits?.lines ?? [];
  return `${head("#")}# Only this machine reaches Synapse. For others put a reverse proxy with TLS in front of it.
listeners:
  - port: 8008
    type: http
    bind_addresses: [127.0.0.1]
    resources:
      - names: [client]

database:
  name: psycopg2
  args:
    host: 127.0.0.1
    user: synapse
    dbname: synapse
    # It holds the password.
    passfile: /etc/synapse/pgpass

app_service_config_files: [/etc/synapse/registration.yaml]

# So that people who call do not meet limits that are meant for chat.
${limits.join("\n")}
`;
}
