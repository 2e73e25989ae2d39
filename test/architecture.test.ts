// Who may import whom. The rules are few: read them as a drawing, arrows pointing down.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const edges = ["matrix", "sip", "media", "store", "http", "telemetry", "clock", "contacts", "ladders"];
/** Folders of `src` that a folder may import besides itself. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  ports: ["core"],
  bridge: ["core", "ports"],
  config: ["core", "ports"],
  ...Object.fromEntries(edges.map((edge) => [edge, ["core", "ports"]])),
};
const everywhere = ["core", "ports", "bridge", "config", ...edges];
const tops: Readonly<Record<string, readonly string[]>> = {
  "app.ts": everywhere,
  cli: [...everywhere, "app.ts"],
  "main.ts": ["cli"],
};

interface Source {
  readonly path: string;
  readonly module: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const sources: readonly Source[] = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => {
    const text = readFileSync(join(root, "src", path), "utf8");
    const imports = [...text.matchAll(/(?<!")\b(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, name = ""]) => name);
    return { path, module: path.split("/")[0] ?? path, text, imports };
  });

const withoutComments = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");

const local = (source: Source): readonly string[] =>
  source.imports
    .filter((name) => name.startsWith("."))
    .map((name) => relative(join(root, "src"), join(root, "src", dirname(source.path), name)));

test("every module imports only what its place allows", () => {
  const wrong = sources.flatMap((source) => {
    const modules = [source.module, ...(allowed[source.module] ?? tops[source.module] ?? [])];
    return local(source)
      .filter((path) => path.startsWith("..") || !modules.includes(path.split("/")[0] ?? path))
      .map((path) => `${source.path} imports ${path}`);
  });
  expect(wrong).toEqual([]);
});

/** Each as the way round. */
function cyclesIn(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return cycles;
}

test("there is no import cycle", () => {
  expect(cyclesIn(new Map(sources.map((source) => [source.path, local(source)])))).toEqual([]);
});

test("folders depend one way, imports of types included", () => {
  const graph = new Map<string, string[]>();
  for (const source of sources.filter(({ path }) => path.includes("/") && !path.startsWith("cli/"))) {
    const folder = dirname(source.path);
    const others = local(source)
      .map(dirname)
      .filter((other) => other !== folder);
    graph.set(folder, [...(graph.get(folder) ?? []), ...others]);
  }
  expect(cyclesIn(graph)).toEqual([]);
});

const everyModule = ["src", "dev", "test", "bench", "web"].flatMap((top) =>
  readdirSync(join(root, top), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => join(top, path)),
);

test("no folder is too long to be read like a table of contents, of tests and tools neither", () => {
  const counts = new Map<string, number>();
  for (const path of everyModule) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  expect([...counts].filter(([, files]) => files > 15)).toEqual([]);
});

const impure =
  /\bDate\b|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|\bPromise\b|\bawait\b|\basync\b|\bprocess\.|\b(?:webcrypto|randomUUID|getRandomValues)\b|\bperformance\.|\bconsole\.|\bfetch\(|\bglobalThis\b/g;

test("core is pure: no Node, no clock, no chance, no waiting, and two packages", () => {
  const wrong = sources
    .filter((source) => source.module === "core")
    .flatMap((source) => {
      const code = withoutComments(source.text);
      const found = code.match(impure) ?? [];
      const packages = source.imports.filter((name) => !name.startsWith("."));
      const home =
        (source.path === "core/number/e164.ts" && packages.every((name) => name.startsWith("libphonenumber-js"))) ||
        (source.path.startsWith("core/sdp/") && packages.every((name) => name === "sdp-transform"));
      return [...found, ...(home ? [] : packages)].map((what) => `${source.path}: ${what}`);
    });
  expect(wrong).toEqual([]);
});

/** What clients say of why a call ends: core speaks of causes. */
const matrixWords =
  /m\.call\.|\b(?:user_busy|user_hangup|user_media_failed|ice_failed|ice_timeout|invite_timeout|answered_elsewhere|unknown_error)\b/g;

test("no word of Matrix clients for the end of a call is in core or bridge", () => {
  const wrong = sources
    .filter((source) => source.module === "core" || source.module === "bridge")
    .flatMap((source) =>
      (withoutComments(source.text).match(matrixWords) ?? []).map((word) => `${source.path}: ${word}`),
    );
  expect(wrong).toEqual([]);
});

/** What one kind of client is spoken to with: the matrix edge keeps it in a leg's form. */
const legWords = /\b(?:party_?id|(?:own|person)Party|form\.(?!kind\b|media\b)\w+)\b|\bversion\b/gi;

test("core and bridge know nothing of the kinds of clients, and the call looks into no description", () => {
  const wrong = sources.flatMap((source) => {
    const code = withoutComments(source.text);
    const isOfCall = source.path.startsWith("core/call/");
    if (!isOfCall && source.module !== "bridge") return [];
    const looks = isOfCall ? source.imports.filter((name) => /\/sdp\/(?!direction)/.test(name)) : [];
    const kinds = isOfCall ? (code.match(/\bsdpIn\b|"legacy"|form\.kind/g) ?? []) : [];
    return [...(code.match(legWords) ?? []), ...looks, ...kinds].map((word) => `${source.path}: ${word}`);
  });
  expect(wrong).toEqual([]);
});

test("the bridge talks to packages through ports only", () => {
  const wrong = sources
    .filter((source) => source.module === "bridge" || source.module === "ports")
    .flatMap((source) =>
      source.imports.filter((name) => !name.startsWith(".")).map((name) => `${source.path}: ${name}`),
    );
  expect(wrong).toEqual([]);
});

test("the bridge takes its time and its chance from the clock", () => {
  const wrong = sources
    .filter((source) => source.module === "bridge" || source.module === "ports")
    .flatMap((source) =>
      (
        withoutComments(source.text).match(
          /\bDate\b|Math\.random|setTimeout|setInterval|\b(?:webcrypto|randomUUID|getRandomValues)\b|\bconsole\./g,
        ) ?? []
      ).map((what) => `${source.path}: ${what}`),
    );
  expect(wrong).toEqual([]);
});

test("the time of day is read in one place: it may jump, and durations must not", () => {
  // A certificate says from when to when it is valid.
  const home = /^(clock|media\/embedded\/client\/reserved-end\.ts$)/;
  const wrong = sources
    .filter((source) => !home.test(source.path.replaceAll("\\", "/")))
    .filter((source) => /\bDate\.now\b|new Date\(\)/.test(withoutComments(source.text)))
    .map((source) => source.path);
  expect(wrong).toEqual([]);
});

test("what is dangerous has one home", () => {
  const homes: readonly (readonly [RegExp, RegExp])[] = [
    [/^ws$/, /^(sip\/transport\/sockets\/websocket|media\/embedded\/participant\/signal-socket)\.ts$/],
    [/^libphonenumber-js/, /^core\/number\/e164\.ts$/],
    [/^sdp-transform/, /^core\/sdp\//],
    [
      /^node-datachannel/,
      /^media\/embedded\/(base\/(ice-servers|peer-connection)|client\/client-transport|participant\/server-connection|engine\/worker)\.ts$/,
    ],
    [/^@livekit\/protocol/, /^media\/embedded\/participant\/signal\.ts$/],
    [/^@evan\/opus/, /^media\/embedded\/codec\/opus-(?:en|de)coder\.ts$/],
    [/^matrix-appservice/, /^(matrix|config)\//],
    [/^kysely$/, /^store\//],
    [/^better-sqlite3$/, /^store\/sqlite\//],
    [/^pg$/, /^store\/postgres\//],
    [/^(pino|@prometheus-io)/, /^telemetry\//],
    [/^commander/, /^cli\//],
    [/^ical/, /^contacts\/vcard\.ts$/],
  ];
  const wrong = sources.flatMap((source) =>
    source.imports.flatMap((name) =>
      homes.filter(([pack, home]) => pack.test(name) && !home.test(source.path)).map(() => `${source.path}: ${name}`),
    ),
  );
  expect(wrong).toEqual([]);
});

test("only main.ts reads the process", () => {
  const wrong = sources
    .filter((source) => source.path !== "main.ts" && !source.path.includes("worker"))
    .filter((source) =>
      /\bprocess\.(?!getBuiltinModule)/.test(source.text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")),
    )
    .map((source) => source.path);
  expect(wrong).toEqual([]);
});

test("no m.call event name outside the matrix edge, and what shows events in ladders", () => {
  const wrong = sources
    .filter((source) => source.module !== "matrix" && source.module !== "ladders")
    .filter((source) => /["'`]m\.call\./.test(withoutComments(source.text)))
    .map((source) => source.path);
  expect(wrong).toEqual([]);
});

test("the console takes types from the admin API's words, and besides nothing of the bridge but two drawings of the commands", () => {
  const wrong = everyModule
    .filter((path) => path.startsWith("web/"))
    .flatMap((path) => {
      const text = readFileSync(join(root, path), "utf8");
      const imports = [...text.matchAll(/\bimport (type )?(?:[^;"]* from )?"(\.[^"]+)"/g)];
      return imports
        .map(([, type, name = ""]) => ({
          isType: type !== undefined,
          to: relative(root, join(root, dirname(path), name)),
        }))
        .filter(({ isType, to }) => !to.startsWith("web/") && !(isType && to.startsWith("src/http/admin/wire/")))
        .filter(({ to }) => to !== "src/cli/admin/call-table.ts" && to !== "src/cli/ladder/drawing.ts")
        .map(({ to }) => `${path} imports ${to}`);
    });
  expect(wrong).toEqual([]);
});

test("no file is a god file", () => {
  const large = everyModule.filter((path) => readFileSync(join(root, path), "utf8").split("\n").length > 400);
  expect(large).toEqual([]);
});
