// The homeserver, each link broken alone.
import { writeFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";
import { afterAll, describe, test } from "vitest";
import { listen } from "../../../dev/loopback/listen.ts";
import { Authority } from "../../sip/rig/certificates.ts";
import { patience, seeAlone, withHomeserver, type Broken } from "./see-alone.ts";

const stranger = new Authority("Stranger");
const unknown = stranger.issue("unknown", "IP:127.0.0.1");
afterAll(() => stranger.remove());

const rows: readonly Broken[] = [
  {
    link: "homeserver",
    what: "nobody listens there",
    ...withHomeserver("http://127.0.0.1:9"),
    found: /nothing listens at that address and port/,
    mend: /homeserver\.url/,
  },
  {
    link: "homeserver",
    what: "its proxy redirects",
    interpose: () => ({ status: 301, headers: { location: "https://matrix.example.org/_matrix/client/versions" } }),
    found: /redirects to https:\/\/matrix\.example\.org, and the bridge does not follow/,
    mend: /set homeserver\.url to https:\/\/matrix\.example\.org$/,
  },
  {
    link: "homeserver",
    what: "it is a web server of another kind",
    interpose: () => ({ status: 404, body: { hello: "world" } }),
    found: /not a Matrix homeserver answers .* \(404\)/,
    mend: /port and path of homeserver\.url/,
  },
  {
    link: "homeserver-identity",
    what: "it does not know the bridge",
    registered: () => undefined,
    found: /does not know the bridge/,
    mend: /add the registration file/,
  },
  {
    link: "homeserver-identity",
    what: "it knows it by another registration",
    registered: (own) => ({ ...own, sender_localpart: "_sip_other" }),
    found: /_sip_other, not as _sip_sender/,
    mend: /give it the bridge's copy/,
  },
  {
    link: "homeserver-identity",
    what: "it is the homeserver of another domain",
    homeserver: { domain: "example.com" },
    found: /homeserver\.domain is example\.org, .* belong to example\.com/,
    mend: /set homeserver\.domain/,
  },
  {
    link: "homeserver-ping",
    what: "it is told another address",
    registered: (own) => ({ ...own, url: "http://127.0.0.1:9" }),
    found: /cannot reach the bridge/,
    mend: /check url in the registration/,
  },
  {
    link: "homeserver-ping",
    what: "it has another hs_token",
    registered: (own) => ({ ...own, hs_token: "another-token-0123456789" }),
    found: /uses another hs_token/,
    mend: /give it the bridge's copy of the registration/,
  },
  {
    link: "homeserver-ping",
    what: "it has no address of the bridge",
    registered: (own) => ({ ...own, url: null }),
    found: /does not know the bridge's address/,
    mend: /set url in the registration/,
  },
  {
    link: "dial-pad",
    what: "the homeserver remembers that there was none",
    interpose: (_, path) => (path.endsWith("/thirdparty/protocols") ? { status: 200, body: {} } : undefined),
    found: /told of no telephone numbers/,
    mend: /restart the homeserver while the bridge is running/,
  },
  {
    link: "ghost-ids",
    what: "the homeserver takes no % in ids",
    homeserver: { strictUserIds: true },
    found: /refused the user id/,
    mend: /set ghosts\.encoding to grammar/,
  },
  {
    link: "invitations",
    what: "nobody may invite",
    interpose: (_, path) =>
      path.endsWith("/invite") ? { status: 403, body: { errcode: "M_FORBIDDEN", error: "disabled" } } : undefined,
    found: /refuses invitations .* nobody can dial/,
    mend: /block_non_admin_invites/,
  },
  {
    link: "homeserver-limits",
    what: "Synapse has its defaults",
    state: "warning",
    interpose: (_, path) =>
      path.endsWith("/federation/v1/version")
        ? { status: 200, body: { server: { name: "Synapse", version: "1.163.0" } } }
        : undefined,
    before: ({ folder }) =>
      writeFileSync(
        join(folder, "homeserver.yaml"),
        "rc_message: {per_second: 2, burst_count: 50}\nrc_room_creation: {burst_count: 30}\nrc_invites: {per_issuer: {burst_count: 30}}\n",
      ),
    flags: ({ folder }) => ({ homeserverConfig: join(folder, "homeserver.yaml") }),
    found: /^rc_invites\.per_user\.burst_count is 5/,
    mend: /homeservers\/synapse\.md/,
  },
];

describe("broken alone", () => {
  test.for(rows)("$link: $what", patience, async (broken, { onTestFinished }) => seeAlone(broken, onTestFinished));

  test("homeserver-certificate: nobody whom we trust has signed it", patience, async ({ onTestFinished }) => {
    const server = createTlsServer(unknown, (_, response) => void response.end());
    const port = await listen(server);
    onTestFinished(() => void server.close());
    const broken: Broken = {
      link: "homeserver-certificate",
      what: "",
      ...withHomeserver(`https://127.0.0.1:${port}`),
      found: /by Stranger, 1 days left: /,
      mend: /NODE_EXTRA_CA_CERTS/,
    };
    await seeAlone(broken, onTestFinished);
  });
});
