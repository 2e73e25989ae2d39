// Settings that are good each, and not together.
import { describe, expect, test } from "vitest";
import { faults, changed } from "./minimal.ts";

describe("settings that do not go together", () => {
  test.each<[string, string, string, string]>([
    [
      "a trunk that is not there",
      "country: GB",
      "country: GB\n  emergency_trunk: man",
      "config.yaml:8: dial_plan.emergency_trunk should be the name of a trunk: main",
    ],
    [
      "a route to a trunk that is not there",
      "country: GB",
      "country: GB\n  routes: [{prefix: '', trunk: man}]",
      "config.yaml:8: dial_plan.routes[0].trunk should be the name of a trunk: main",
    ],
    [
      "a SIP domain with a port",
      "country: GB",
      "country: GB\n  sip_domains: {'pbx.example.org:5060': main}",
      'config.yaml:8: dial_plan.sip_domains["pbx.example.org:5060"] should have a domain as its key',
    ],
    [
      "a trunk's name twice",
      "permissions:",
      "  - name: MAIN\n    server: b.example.org\npermissions:",
      "config.yaml:11: trunks[1].name is the name of trunks[0] too, for environment variables",
    ],
    [
      "names that environment variables cannot tell apart",
      "  - name: main\n    server: sip.example.org\n",
      "  - name: a-b\n    server: a.example.org\n  - name: a_b\n    server: b.example.org\n",
      "config.yaml:11: trunks[1].name is the name of trunks[0] too, for environment variables",
    ],
    [
      "ports the wrong way round",
      "permissions:",
      "media: {rtp: {ports: {min: 20000, max: 10000}}}\npermissions:",
      "config.yaml:11: media.rtp.ports should contain more ports: max is below min, or too close to it",
    ],
    [
      "the same port for two listeners",
      "permissions:",
      "http: {listen: {port: 9993}}\npermissions:",
      "config.yaml:11: http.listen.port is the port of appservice.listen too",
    ],
    [
      "a certificate without its key",
      "    server:",
      "    tls: {certificate: c}\n    server:",
      "config.yaml:10: trunks[0].tls has a certificate without its key",
    ],
    [
      "a bot with a capital",
      "ghosts:",
      "appservice: {bot: SipBot}\nghosts:",
      "config.yaml:4: appservice.bot should be a localpart of a-z, 0-9, dot, hyphen and underscore",
    ],
    [
      "a prefix with a regular expression",
      "gateway:",
      "prefix: '_sip_.*'\n  gateway:",
      "config.yaml:5: ghosts.prefix should be a prefix of a-z, 0-9, dot, hyphen and underscore",
    ],
    [
      "a route to a second trunk that is not there",
      "country: GB",
      "country: GB\n  routes: [{prefix: '', trunk: main, more_trunks: [main, man]}]",
      "config.yaml:8: dial_plan.routes[0].more_trunks[1] should be the name of a trunk: main",
    ],
    [
      "a code that withholds the number, without quotes",
      "country: GB",
      "country: GB\n  withhold_prefixes: [141]",
      "config.yaml:8: dial_plan.withhold_prefixes[0] should be two to eight digits, * and # in quotes",
    ],
    [
      "a registration nobody knows the user of",
      "    server:",
      "    registration: {}\n    server:",
      "config.yaml:10: trunks[0].registration needs the key user, because the trunk has no credentials",
    ],
    [
      "a session timer shorter than may be",
      "    server:",
      "    session_timer: {expires_seconds: 60}\n    server:",
      "config.yaml:10: trunks[0].session_timer.expires_seconds should be a whole number of seconds from 90 to 86400",
    ],
    [
      "a session timer the wrong way round",
      "    server:",
      "    session_timer: {expires_seconds: 100, min_seconds: 200}\n    server:",
      "config.yaml:10: trunks[0].session_timer.min_seconds should not be more than expires_seconds",
    ],
    [
      "a header that is none",
      "    server:",
      "    inbound: {called_number: 'P-Called Party'}\n    server:",
      "config.yaml:10: trunks[0].inbound.called_number should be request-uri, to, or the name of a header",
    ],
    [
      "a second gateway with a scheme",
      "    server:",
      "    more_servers: ['sip:b.example.org']\n    server:",
      "config.yaml:10: trunks[0].more_servers[0] should be a host name or an IP address",
    ],
    [
      "the bot where withheld callers live",
      "ghosts:",
      "appservice: {bot: _sip_anonymous}\nghosts:",
      "config.yaml:4: appservice.bot is the localpart of callers who withhold their number",
    ],
  ])("%s", (_, from, to, fault) => {
    expect(faults(changed(from, to))[0]?.slice(0, fault.length)).toBe(fault);
  });
});
