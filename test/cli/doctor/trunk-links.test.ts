// A trunk, each link broken alone.
import { afterAll, describe, test } from "vitest";
import { Authority } from "../../sip/rig/certificates.ts";
import { respondOverTls, respondOverUdp } from "./responder.ts";
import { patience, seeAlone, withTrunk, type Broken } from "./see-alone.ts";
import type { Ends } from "./world.ts";

const authority = new Authority();
const stranger = new Authority("Stranger");
const here = authority.issue("here", "IP:127.0.0.1");
const elsewhere = authority.issue("elsewhere", "DNS:sip.example.com");
const unknown = stranger.issue("unknown", "IP:127.0.0.1");
afterAll(() => {
  authority.remove();
  stranger.remove();
});

const rows: readonly Broken[] = [
  {
    link: "trunk-dns",
    what: "no such host",
    ...withTrunk({ server: "sip.nowhere.invalid:5060" }),
    found: /sip\.nowhere\.invalid: (host name not found|name resolution failed)/,
    mend: /trunks\[0\]\.server, .*name servers/,
  },
  {
    link: "trunk-transport",
    what: "nobody listens on UDP",
    ...withTrunk({ server: "127.0.0.1:9" }),
    found: /127\.0\.0\.1:9 udp: nothing listens there/,
    mend: /trunks\[0\]\.transport/,
  },
  {
    link: "trunk-transport",
    what: "nobody listens on TCP",
    ...withTrunk({ server: "127.0.0.1:9", transport: "tcp" }),
    found: /127\.0\.0\.1:9 tcp: connection refused/,
    mend: /firewalls/,
  },
  {
    link: "trunk-credentials",
    what: "the password is wrong",
    ...withTrunk({ credentials: { username: "bridge", password: "wrong-horse" } }),
    found: /refuses the password of bridge \(401/,
    mend: /trunks\[0\]\.credentials\.password/,
  },
  {
    link: "trunk-credentials",
    what: "it is for another realm",
    ...withTrunk({ credentials: { username: "bridge", password: "correct-horse", realms: ["elsewhere"] } }),
    found: /the password of the realm gateway/,
    mend: /credentials\.realms/,
  },
];

/** What the doctor says of the trunk `changes` where a server answers so. */
interface Answered extends Omit<Broken, "config"> {
  readonly trunk: (ends: Ends) => Promise<object>;
}

const g729 =
  "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n";
const fine = { status: 200 };
const tls = async (ends: Ends, own: typeof here) => ({
  server: await respondOverTls(ends, own, { OPTIONS: fine, REGISTER: fine }),
  transport: "tls",
  tls: { ca: authority.ca },
});

const answered: readonly Answered[] = [
  {
    link: "trunk-options",
    what: "nobody answers",
    trunk: async (ends) => ({ server: await respondOverUdp(ends, {}) }),
    found: /no answer within \d+ s/,
    mend: /firewall; then trunks\[0\]\.server/,
  },
  {
    link: "trunk-options",
    what: "it has no time",
    trunk: async (ends) => ({ server: await respondOverUdp(ends, { OPTIONS: { status: 503 } }) }),
    found: /OPTIONS: 127\.0\.0\.1:\d+: 503/,
    mend: /this machine's address/,
  },
  {
    link: "trunk-credentials",
    what: "the trunk does not know the user",
    trunk: async (ends) => ({ server: await respondOverUdp(ends, { OPTIONS: fine, REGISTER: { status: 404 } }) }),
    found: /does not know the user bridge \(404/,
    mend: /credentials\.username, registration\.user/,
  },
  {
    link: "trunk-registration",
    what: "the trunk takes none from here",
    trunk: async (ends) => ({ server: await respondOverUdp(ends, { OPTIONS: fine, REGISTER: { status: 403 } }) }),
    found: /REGISTER was answered 403 No, without asking/,
    mend: /registrations from this address/,
  },
  {
    link: "trunk-codecs",
    what: "the trunk has none of ours",
    trunk: async (ends) => ({
      server: await respondOverUdp(ends, { OPTIONS: { status: 200, sdp: g729 }, REGISTER: fine }),
    }),
    found: /speaks G729, and may speak PCMA, PCMU, G722, opus here/,
    mend: /trunks\[0\]\.media\.codecs/,
  },
  {
    link: "trunk-certificate",
    what: "nobody whom we trust has signed it",
    trunk: (ends) => tls(ends, unknown),
    found: /for 127\.0\.0\.1, by Stranger, 1 days left: /,
    mend: /trunks\[0\]\.tls\.ca_file/,
  },
  {
    link: "trunk-certificate",
    what: "it is another host's",
    trunk: (ends) => tls(ends, elsewhere),
    found: /for sip\.example\.com, by Test CA, 1 days left: it is not for 127\.0\.0\.1/,
    mend: /tls\.server_name/,
  },
  {
    link: "trunk-certificate",
    what: "it ends soon",
    state: "warning",
    trunk: (ends) => tls(ends, here),
    found: /for 127\.0\.0\.1, by Test CA, 1 days left: it ends soon/,
    mend: /renew the certificate/,
  },
  {
    link: "own-certificate",
    what: "it ends soon",
    state: "warning",
    trunk: async () => ({ tls: { certificate: here.cert, key: here.key } }),
    found: /1 days left: it ends soon/,
    mend: /trunks\[0\]\.tls\.certificate/,
  },
];

describe("broken alone", () => {
  test.for(rows)("$link: $what", patience, async (broken, { onTestFinished }) => seeAlone(broken, onTestFinished));

  test.for(answered)("$link: $what", patience, async ({ trunk, ...broken }, { onTestFinished }) =>
    seeAlone({ ...broken, ...withTrunk(await trunk(onTestFinished)) }, onTestFinished),
  );
});
