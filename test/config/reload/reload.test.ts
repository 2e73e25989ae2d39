// What of another configuration a running bridge takes up at once, and what waits for a restart.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../src/config/load.ts";
import { toBridgeSettings } from "../../../src/config/mapping/bridge-settings.ts";
import { toTrunkSettings } from "../../../src/config/mapping/mapping.ts";
import { configJsonSchema } from "../../../src/config/reading/reference.ts";
import { ConfigError } from "../../../src/config/reading/problem.ts";
import { reloadConfig } from "../../../src/config/reload/reload.ts";
import type { Config } from "../../../src/config/schema/schema.ts";

const sources = { configPath: "config.yaml", env: {} };
const base = {
  homeserver: { url: "http://localhost:8008", domain: "example.org" },
  ghosts: { gateway: "sip.example.org" },
  dial_plan: { country: "GB" },
  trunks: [{ name: "main", server: "sip.example.org" }],
  permissions: { "example.org": "call" },
};
// JSON is YAML.
const read = (changes: object = {}): Config => parseConfig(JSON.stringify({ ...base, ...changes }), sources);
const reload = (changes: object, from: object = {}) => reloadConfig(read(from), read(changes), "config.yaml");

test("every setting says whether a reload applies it", () => {
  for (const [key, node] of Object.entries(configJsonSchema().properties ?? {}))
    expect([key, node.reload]).toEqual([key, expect.stringMatching(/^(?:now|restart)$/)]);
});

describe("what has changed is named by its path, without its value", () => {
  test("numbers, permissions, limits and trunks hold at once", () => {
    const { applied, waiting } = reload({
      inbound: { numbers: [{ number: "2001", user: "@ann:example.org" }] },
      permissions: { "example.org": "none", "@ann:example.org": "call" },
      limits: { calls_per_user: 5 },
      trunks: [
        { name: "main", server: "sip.example.org", credentials: { username: "us", password: "hunter2" } },
        { name: "spare", server: "sip2.example.org" },
      ],
    });
    expect(applied).toEqual([
      "trunks.main.credentials",
      "trunks.spare",
      "inbound.numbers",
      'permissions["example.org"]',
      'permissions["@ann:example.org"]',
      "limits.calls_per_user",
    ]);
    expect(waiting).toEqual([]);
    expect(JSON.stringify(applied)).not.toContain("hunter2");
  });

  test("a homeserver, a database and ports wait, and keep their former values", () => {
    const { config, applied, waiting } = reload({
      homeserver: { url: "http://other:8008", domain: "example.org" },
      database: { keep_calls_days: 10, path: "other.db" },
      media: { workers: 5, ice: { homeserver_turn: false } },
    });
    expect(waiting).toEqual(["homeserver.url", "database.path", "media.workers"]);
    expect(applied).toEqual(["database.keep_calls_days", "media.ice.homeserver_turn"]);
    expect(config).toEqual(read({ database: { keep_calls_days: 10 }, media: { ice: { homeserver_turn: false } } }));
  });

  test("the same file changes nothing", () => {
    expect(reload({})).toEqual({ config: read(), applied: [], waiting: [] });
  });

  test("another order of trunks is a change: the first one is called by default", () => {
    const spare = { name: "spare", server: "sip2.example.org" };
    const { applied, config } = reload({ trunks: [spare, ...base.trunks] }, { trunks: [...base.trunks, spare] });
    expect([applied, config.trunks[0]?.name]).toEqual([["trunks"], "spare"]);
  });

  test("whether numbers ring only together with something that waits is refused, and says what it waits for", () => {
    const domain = "example.com";
    const next = read({
      homeserver: { ...base.homeserver, domain },
      permissions: { [domain]: "call" },
      inbound: { numbers: [{ number: "2001", user: `@ann:${domain}` }] },
    });
    const refused = (): unknown => reloadConfig(read(), next, "config.yaml");
    expect(refused).toThrow(ConfigError);
    expect(refused).toThrow(/inbound\.numbers\[0\]\.user should be a user of this homeserver.*homeserver\.domain/);
  });
});

test("for any two configurations, a bridge goes on as one that was started with the second, in all that needs no restart", () => {
  const number = fc.integer({ min: 2000, max: 2009 }).map((text) => ({ number: `${text}`, user: "@ann:example.org" }));
  const trunk = fc.record({
    name: fc.constantFrom("main", "spare", "third"),
    server: fc.constantFrom("sip.example.org", "sip2.example.org"),
    dtmf: fc.constantFrom("auto", "info"),
    options_interval_seconds: fc.integer({ min: 0, max: 60 }),
  });
  const changes = fc.record(
    {
      trunks: fc.uniqueArray(trunk, { minLength: 1, selector: ({ name }) => name }),
      inbound: fc.record({ numbers: fc.uniqueArray(number, { selector: (one) => one.number, maxLength: 4 }) }),
      permissions: fc.dictionary(
        fc.constantFrom("example.org", "*", "@ann:example.org"),
        fc.constantFrom("call", "none"),
      ),
      limits: fc.record({
        calls_per_user: fc.integer({ min: 1, max: 9 }),
        calls_per_minute: fc.integer({ min: 1, max: 9 }),
      }),
      notices: fc.record({ enabled: fc.boolean() }),
      people: fc.record({ calls: fc.constantFrom("auto", "legacy", "rtc") }),
      media: fc.record({ workers: fc.integer({ min: 1, max: 9 }) }),
      appservice: fc.record({ bot_display_name: fc.constantFrom("Telephone", "Phone") }),
      database: fc.record({ keep_calls_days: fc.integer({ min: 8, max: 20 }) }),
    },
    { requiredKeys: ["trunks"] },
  );
  fc.assert(
    fc.property(changes, changes, (one, other) => {
      const now = read(one);
      const next = read(other);
      const { config, waiting } = reloadConfig(now, next, "config.yaml");
      const { botName: _, ...rest } = toBridgeSettings(config);
      const { botName: __, ...wanted } = toBridgeSettings(next);
      const plain = (settings: object): unknown => JSON.parse(JSON.stringify(settings, withMaps));
      expect(plain(rest)).toEqual(plain(wanted));
      expect(toTrunkSettings(config, "test")).toEqual(toTrunkSettings(next, "test"));
      expect([config.media, config.appservice]).toEqual([now.media, now.appservice]);
      // The next reload of the same file finds the same things waiting, and nothing else.
      expect(reloadConfig(config, next, "config.yaml")).toEqual({ config, applied: [], waiting });
    }),
    { numRuns: 60 },
  );
});

/** The order of keys means nothing. */
function withMaps(_: string, value: unknown): unknown {
  if (value instanceof Set) return [...(value as Iterable<unknown>)];
  if (!(value instanceof Map)) return value;
  return [...(value as ReadonlyMap<string, unknown>)].toSorted(([one], [other]) => (one < other ? -1 : 1));
}
