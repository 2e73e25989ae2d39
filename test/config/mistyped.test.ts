// What people mistype, and the line that they read then.
import { describe, expect, test } from "vitest";
import { faults, changed } from "./minimal.ts";

describe("what people mistype", () => {
  test.each<[string, string, string, string]>([
    [
      "a key with letters swapped",
      "server: sip",
      "sevrer: sip",
      "config.yaml:10: trunks[0].sevrer is not a known key; did you mean server? (server: Host of the provider or PBX.",
    ],
    [
      "a key too short",
      "gateway:",
      "gatway:",
      "config.yaml:5: ghosts.gatway is not a known key; did you mean gateway?",
    ],
    [
      "a key in another case",
      "domain:",
      "Domain:",
      "config.yaml:3: homeserver.Domain is not a known key; did you mean domain?",
    ],
    [
      "a hyphen for an underscore",
      "dial_plan:",
      "dial-plan:",
      "config.yaml:6: dial-plan is not a known key; did you mean dial_plan?",
    ],
    [
      "another bridge's key",
      "permissions:",
      "permission:",
      "config.yaml:11: permission is not a known key; did you mean permissions?",
    ],
    [
      "a key of another program",
      "country: GB",
      "country: GB\n  federate: true",
      "config.yaml:8: dial_plan.federate is not a known key; known here: country, routes, withhold_prefixes, sip_domains, emergency_trunk",
    ],
    [
      "a word in another case",
      "    server:",
      "    transport: UDP\n    server:",
      "config.yaml:10: trunks[0].transport should be one of udp, tcp, tls, ws, wss; did you mean udp?",
    ],
    [
      "a word nearly right",
      "gateway:",
      "encoding: percentage\n  gateway:",
      "config.yaml:5: ghosts.encoding should be one of percent, grammar, e164; did you mean percent?",
    ],
    [
      "a country as it is spoken of",
      "GB",
      "UK",
      "config.yaml:7: dial_plan.country should be a country's two capital letters (ISO 3166-1), such as GB or DE",
    ],
    [
      "a country in lower case",
      "GB",
      "gb",
      "config.yaml:7: dial_plan.country should be a country's two capital letters (ISO 3166-1), such as GB or DE; did you mean GB?",
    ],
    [
      "a URL without its scheme",
      "http://localhost:8008",
      "localhost:8008",
      "config.yaml:2: homeserver.url should be a URL that begins with http:// or https:// and has no password, ? or #",
    ],
    [
      "a URL with a password",
      "http://localhost:8008",
      "http://user:hunter2@localhost",
      "config.yaml:2: homeserver.url should be a URL that begins with http:// or https:// and has no password, ? or #",
    ],
    [
      "a user id for a domain",
      "domain: example.org",
      "domain: '@alice:example.org'",
      "config.yaml:3: homeserver.domain should be the homeserver's server name, the part after the colon in user ids",
    ],
    [
      "a port behind the gateway",
      "sip.example.org\ndial",
      "sip.example.org:5060\ndial",
      "config.yaml:5: ghosts.gateway should be a host name or an IP address, without a port",
    ],
    [
      "a scheme before the server",
      "server: sip.example.org",
      "server: sip:sip.example.org",
      "config.yaml:10: trunks[0].server should be a host name or an IP address, with :port if it is not the usual one (IPv6 in brackets)",
    ],
    [
      "IPv6 without brackets",
      "server: sip.example.org",
      "server: 2001:db8::1",
      "config.yaml:10: trunks[0].server should be a host name or an IP address, with :port if it is not the usual one (IPv6 in brackets)",
    ],
    [
      "a port that is none",
      "    server:",
      "    listen: {port: 99999}\n    server:",
      "config.yaml:10: trunks[0].listen.port should be a whole port number from 0 to 65535",
    ],
    [
      "a port in quotes",
      "    server:",
      "    listen: {port: '5060'}\n    server:",
      "config.yaml:10: trunks[0].listen.port should be a whole port number from 0 to 65535",
    ],
    [
      "a duration with its unit",
      "permissions:",
      "limits:\n  max_duration_seconds: 2h\npermissions:",
      "config.yaml:12: limits.max_duration_seconds should be a whole number of seconds from 1 to 604800",
    ],
    [
      "a duration without its unit in the key",
      "permissions:",
      "limits:\n  max_duration: 7200\npermissions:",
      "config.yaml:12: limits.max_duration is not a known key; did you mean max_duration_seconds?",
    ],
    [
      "yes for true",
      "permissions:",
      "notices:\n  enabled: yes\npermissions:",
      "config.yaml:12: notices.enabled should be true or false",
    ],
    [
      "a number without quotes",
      "    server:",
      "    identity:\n      default_number: +441632960123\n    server:",
      'config.yaml:11: trunks[0].identity.default_number should be a telephone number in quotes, such as "+441632960123"',
    ],
    [
      "a prefix without quotes",
      "country: GB",
      "country: GB\n  routes:\n    - prefix: +44\n      trunk: main",
      'config.yaml:9: dial_plan.routes[0].prefix should be the beginning of a number in quotes, such as "+44"',
    ],
    [
      "one value where a list is meant",
      "permissions:",
      "limits:\n  allow: premium\npermissions:",
      "config.yaml:12: limits.allow should be a list of kinds of number",
    ],
    [
      "one token service where a list is meant",
      "permissions:",
      "rtc:\n  allowed_services: https://rtc.example.com\npermissions:",
      "config.yaml:12: rtc.allowed_services should be a list of URLs of token services",
    ],
    [
      "a section where a list is meant",
      "  - name: main\n    server",
      "  main:\n    server",
      "config.yaml:8: trunks should be a list of trunks",
    ],
    [
      "a value where a section is meant",
      "  url: http://localhost:8008\n  domain: example.org\n",
      "",
      "config.yaml:1: homeserver is missing: The Matrix homeserver.",
    ],
    [
      "no trunk at all",
      "  - name: main\n    server: sip.example.org\n",
      "  []\n",
      "config.yaml:8: trunks should list one trunk at least",
    ],
    [
      "a placeholder that is none",
      "    server:",
      "    identity: {from_user: '{phone}'}\n    server:",
      "config.yaml:10: trunks[0].identity.from_user should be text in which only {localpart}, {domain}, {user_id}, {displayname}, {number} stand in braces",
    ],
    [
      "a codec that is none",
      "    server:",
      "    media: {codecs: [G711]}\n    server:",
      "config.yaml:10: trunks[0].media.codecs[0] should be one of PCMU, PCMA, G722, opus",
    ],
    [
      "a network that is none",
      "    server:",
      "    peers: [10.0.0.0/33]\n    server:",
      "config.yaml:10: trunks[0].peers[0] should be a network such as 192.0.2.0/24 or an address",
    ],
    [
      "a permission that is none",
      "example.org: call",
      "example.org: user",
      'config.yaml:12: permissions["example.org"] should be `call`, `none`, or a section with the keys allow, calls_per_user, max_duration_seconds',
    ],
    [
      "a key in a permission",
      "example.org: call",
      "example.org: {alow: [premium]}",
      'config.yaml:12: permissions["example.org"].alow is not a known key; did you mean allow?',
    ],
    [
      "a value in a permission",
      "example.org: call",
      "example.org: {allow: [premum]}",
      'config.yaml:12: permissions["example.org"].allow[0] should be one of premium, shared-cost, satellite, unknown; did you mean premium?',
    ],
    [
      "a user without the @",
      "example.org: call",
      "'alice:example.org': call",
      'config.yaml:12: permissions["alice:example.org"] should have a Matrix user id, a server name or * (in quotes) as its key',
    ],
    [
      "a user without a server",
      "example.org: call",
      "'@alice': call",
      'config.yaml:12: permissions["@alice"] should have a Matrix user id, a server name or * (in quotes) as its key',
    ],
    [
      "a star without quotes",
      "example.org: call",
      "*: call",
      "config.yaml:12: is not YAML: put text with special characters in quotes",
    ],
    [
      "a user without quotes",
      "example.org: call",
      "@alice:example.org: call",
      "config.yaml:12: begins with a character that has a meaning in YAML: put the text in quotes",
    ],
    [
      "a star for some users",
      "example.org: call",
      "example.org: call\n  '@guest*:example.org': none",
      'config.yaml:13: permissions["@guest*:example.org"] should not contain a star: * must stand alone, for everybody on this homeserver',
    ],
    [
      "a star for some servers",
      "example.org: call",
      "'*.example.org': none",
      'config.yaml:12: permissions["*.example.org"] should not contain a star',
    ],
    [
      "a server in capitals",
      "example.org: call",
      "Example.COM: none",
      'config.yaml:12: permissions["Example.COM"] should have the server name in lower case, as it is in user ids',
    ],
    [
      "a user's server in capitals",
      "example.org: call",
      "'@alice:Example.org': none",
      'config.yaml:12: permissions["@alice:Example.org"] should have the server name in lower case',
    ],
    [
      "a homeserver with the path of its API",
      "http://localhost:8008",
      "http://localhost:8008/_matrix/client",
      "config.yaml:2: homeserver.url should end before /_matrix, which the bridge appends",
    ],
    [
      "a space behind the URL",
      "http://localhost:8008",
      '"http://localhost:8008/ "',
      "config.yaml:2: homeserver.url should be a URL that begins with http:// or https:// and has no password, ? or #",
    ],
    [
      "a colon without its space",
      "domain: example.org",
      "domain:example.org",
      "config.yaml:3: lacks a space after a colon, or a closing quote, bracket or comma",
    ],
    [
      "the same port on all addresses",
      "permissions:",
      "http: {listen: {host: '::', port: 9993}}\npermissions:",
      "config.yaml:11: http.listen.port is the port of appservice.listen too",
    ],
    ["a tab", "  country", "\tcountry", "config.yaml:7: is indented with a tab; YAML wants spaces"],
    ["a key twice", "country: GB", "country: GB\n  country: DE", "config.yaml:8: the same key is given twice"],
  ])("%s", (_, from, to, fault) => {
    expect(faults(changed(from, to))[0]?.slice(0, fault.length)).toBe(fault);
  });

  test("Norway is a country", () => expect(faults(changed("GB", "NO"))).toEqual([]));
  test.each(["country:GB", 'country: "GB'])("%s is no configuration", (to) => {
    expect(faults(changed("country: GB", to))).not.toEqual([]);
  });
});
