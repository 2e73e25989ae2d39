// Every preset makes a configuration that the bridge takes without a warning, and asks for what it uses and nothing else.
import { describe, expect, test } from "vitest";
import { adviseOn } from "../../../src/config/checks/advice.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { fillLines, placeholdersIn } from "../../../src/config/presets/fill.ts";
import { homeserverPresets } from "../../../src/config/presets/homeservers.ts";
import { askKeys, derivedKeys, type AskKey, type TrunkPreset } from "../../../src/config/presets/preset.ts";
import { trunkPresets } from "../../../src/config/presets/presets.ts";
import { environmentName } from "../../../src/config/reading/secrets.ts";
import { draftConfig, type SetupChoices } from "../../../src/config/setup/draft.ts";
import { commentedFile } from "../../../src/config/writing/commented.ts";

const [synapse] = homeserverPresets;
if (synapse === undefined) throw new Error("there are no homeservers");

const answers: Readonly<Record<AskKey, string>> = {
  server: "sip.provider.example",
  username: "account",
  password: "trunk-password",
  number: "+441632960123",
  address: "192.0.2.10",
  port: "5062",
  public_address: "203.0.113.5",
};

const choices = (preset: TrunkPreset, more: Partial<SetupChoices> = {}): SetupChoices => ({
  homeserver: {
    preset: synapse,
    url: "http://localhost:8008",
    domain: "example.org",
    appserviceUrl: "http://localhost:9993",
  },
  country: "GB",
  trunk: { preset, name: preset.id, answers: pick(preset) },
  rings: [{ called: "+441632960123", who: ["@alice:example.org"] }],
  allow: "example.org",
  joinForPeople: false,
  ...more,
});

/** Those that the preset asks for, and what follows from them. */
const pick = (preset: TrunkPreset): Record<string, string> => ({
  ...Object.fromEntries(askKeys.filter((key) => preset.asks[key]).map((key) => [key, answers[key]])),
  name: preset.id,
  host: "sip.provider.example",
  server_port: "5060",
});

const load = (made: SetupChoices) =>
  parseConfig(commentedFile("# Made.\n", draftConfig(made)), {
    configPath: "config.yaml",
    env: { [environmentName("TRUNK", made.trunk.name, "PASSWORD")]: "secret" },
  });

const textsOf = (value: unknown): string[] => {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
};

describe.each(trunkPresets.map((preset) => [preset.id, preset] as const))("%s", (_, preset) => {
  test("makes a configuration without a warning", () => {
    const config = load(choices(preset));
    expect(adviseOn(config)).toEqual([]);
    expect(config.trunks).toHaveLength(1);
  });

  test("asks for what it uses, and uses what it asks for", () => {
    const texts = [...textsOf(preset.trunk), ...textsOf(preset.paste)];
    const used = new Set(texts.flatMap((text) => placeholdersIn(text)));
    const derived: readonly string[] = derivedKeys;
    // `host` and `server_port` are parts of the answer `server`, `secret` is what stands in the file `password`.
    const asked = Object.keys(preset.asks);
    expect([...used].filter((key) => !derived.includes(key)).toSorted()).toEqual(asked.toSorted());
  });

  test("leaves no placeholder in what is pasted", () => {
    const lines = preset.paste.flatMap(({ where, lines: own }) => [where, ...own]);
    const filled = fillLines(lines, { ...pick(preset), secret: "s3cret" }, ["+441632960123"]);
    expect(filled.join("\n")).not.toMatch(/%\{|undefined/);
  });

  test("says where it comes from, and when that was last looked at", () => {
    for (const { url, checked } of preset.sources) {
      expect(URL.parse(url)?.protocol).toBe("https:");
      expect(checked).toMatch(/^20\d\d-\d\d-\d\d$/);
    }
  });
});

test("what may be left empty leaves no half section behind", () => {
  const preset = trunkPresets.find(({ id }) => id === "address");
  if (preset === undefined) throw new Error("no such preset");
  const config = load(
    choices(preset, {
      trunk: {
        preset,
        name: "door",
        answers: { server: "192.0.2.20", address: "192.0.2.10", port: "5062", number: "", public_address: "" },
      },
    }),
  );
  const [trunk] = config.trunks;
  expect(trunk?.advertised).toBeUndefined();
  expect(trunk?.identity.default_number).toBeUndefined();
  expect(trunk?.listen).toEqual({ host: "192.0.2.10", port: 5062 });
});

test("sipgate gets callers' numbers without a plus, others with it", () => {
  const numbersAt = (id: string) => {
    const preset = trunkPresets.find((one) => one.id === id);
    if (preset === undefined) throw new Error("no such preset");
    return load(choices(preset)).trunks[0]?.identity.numbers;
  };
  expect(numbersAt("sipgate")).toEqual({ "@alice:example.org": "441632960123" });
  expect(numbersAt("asterisk")).toEqual({ "@alice:example.org": "+441632960123" });
});

test.each(homeserverPresets.map((preset) => [preset.id, preset] as const))("%s: a good configuration", (_, preset) => {
  const [trunk] = trunkPresets;
  if (trunk === undefined) throw new Error("there are no presets");
  const made = choices(trunk);
  const config = load({ ...made, homeserver: { ...made.homeserver, preset } });
  expect(config.ghosts.encoding).toBe(preset.id === "synapse" ? "percent" : "grammar");
});
