import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { listen } from "../../dev/loopback/listen.ts";
import { runCommand } from "../../src/cli/command.ts";
import type { BridgeOptions } from "../../src/app.ts";
import type { StartBridge } from "../../src/cli/run.ts";
import type { StopSignal, Terminal } from "../../src/cli/terminal.ts";
import { minimalConfig } from "../../dev/config/sample.ts";

let folder = "";
let config = "";
let registration = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "matrix-appservice-sip-"));
  config = join(folder, "config.yaml");
  registration = join(folder, "registration.yaml");
  writeFileSync(config, minimalConfig);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A shell that remembers what it was told. */
class Shell implements Terminal {
  readonly env: Record<string, string> = {};
  stdout = "";
  stderr = "";
  readonly exits: number[] = [];
  #listener: ((signal: StopSignal | "SIGHUP") => void) | undefined;
  #listening = () => {};
  /** Resolves when a command begins to care for signals. */
  readonly cares = new Promise<void>((resolve) => {
    this.#listening = resolve;
  });

  out(text: string): void {
    this.stdout += text;
  }
  err(text: string): void {
    this.stderr += text;
  }
  onSignal(listener: (signal: StopSignal | "SIGHUP") => void): void {
    this.#listener = listener;
    this.#listening();
  }
  exit(code: number): void {
    this.exits.push(code);
  }
  isScreen = false;
  signal(signal: StopSignal | "SIGHUP"): void {
    this.#listener?.(signal);
  }
}

const never = new Promise<never>(() => {});

function notStarted(): StartBridge {
  return () => expect.fail("the bridge was started");
}

async function run(...argv: string[]): Promise<{ code: number; shell: Shell }> {
  const shell = new Shell();
  return { code: await runCommand(argv, shell, notStarted()), shell };
}

test("--version says the version of the package", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  for (const flag of ["--version", "-v"]) {
    const { code, shell } = await run(flag);
    expect([code, shell.stdout]).toEqual([0, `${version}\n`]);
  }
});

test("--help lists the flags and the exit codes", async () => {
  const { code, shell } = await run("--help");
  expect(code).toBe(0);
  for (const flag of ["-r", "-u", "-c", "-f", "-p", "--check", "-v"]) expect(shell.stdout).toContain(flag);
  expect(shell.stdout).toContain("3 wrong configuration or registration");
});

describe("a wrong command line is one clear line", () => {
  test.each([
    [["-r", "-c", "config.yaml"], "error: -r needs -u URL, the address at which the homeserver reaches the bridge"],
    [["-u", "http://localhost"], "error: -u belongs to -r, which writes the registration"],
    [["-r", "-u", "localhost:9993"], "It should begin with http:// or https://."],
    [["-p", "0"], "It should be a port from 1 to 65535."],
    [["-p", "http"], "It should be a port from 1 to 65535."],
    [["--prot", "1"], "error: unknown option '--prot'\n(Did you mean --port?)"],
    [["-c"], "error: option '-c, --config <path>' argument missing"],
    [["start"], "error: too many arguments"],
  ])("%j", async (argv, words) => {
    const { code, shell } = await run(...argv);
    expect(code).toBe(2);
    expect(shell.stderr).toContain(words);
  });
});

describe("database copy", () => {
  const copy = (path: string) => run("database", "copy", path, "-c", config);
  test("needs the server to copy to", async () => {
    const { code, shell } = await copy(join(folder, "bridge.db"));
    expect(code).toBe(3);
    expect(shell.stderr).toContain("database.url is missing: it says where to copy to");
  });
  test("needs a file that is there, and makes none", async () => {
    writeFileSync(config, `${minimalConfig}database: {url: "postgres://bridge@localhost/bridge"}\n`);
    const path = join(folder, "nowhere.db");
    const { code, shell } = await copy(path);
    expect([code, shell.stderr]).toEqual([4, `matrix-appservice-sip: nothing is copied: there is no file ${path}\n`]);
    expect(existsSync(path)).toBe(false);
  });
});

describe("-r", () => {
  const write = (url: string) => run("-r", "-u", url, "-c", config, "-f", registration);

  test("writes a registration for the configuration", async () => {
    const { code, shell } = await write("http://localhost:9993/");
    expect(code).toBe(0);
    expect(shell.stdout).toContain(`${registration}: written.`);
    const written = parse(readFileSync(registration, "utf8")) as Record<string, unknown>;
    expect(written).toMatchObject({ url: "http://localhost:9993", sender_localpart: "_sip_sender" });
    expect(shell.stdout + shell.stderr).not.toContain(written["as_token"]);
  });
  test("keeps the tokens of the one that is there", async () => {
    await write("http://localhost:9993");
    const first = parse(readFileSync(registration, "utf8")) as Record<string, unknown>;
    const { shell } = await write("http://bridge:9993");
    expect(shell.stdout).toContain("updated, with the same tokens");
    expect(parse(readFileSync(registration, "utf8"))).toEqual({ ...first, url: "http://bridge:9993" });
  });
  test("leaves a file alone that is no registration", async () => {
    writeFileSync(registration, "shopping: list\n");
    const { code, shell } = await write("http://localhost:9993");
    expect(code).toBe(3);
    expect(shell.stderr).toContain(registration);
    expect(readFileSync(registration, "utf8")).toBe("shopping: list\n");
  });
  test("says what is wrong with the configuration, and writes nothing", async () => {
    writeFileSync(config, minimalConfig.replace("gateway", "gatway"));
    const { code, shell } = await write("http://localhost:9993");
    expect(code).toBe(3);
    expect(shell.stderr).toContain(`${config}:5: ghosts.gatway is not a known key; did you mean gateway?`);
    expect(existsSync(registration)).toBe(false);
  });
});

describe("running", () => {
  beforeEach(async () => {
    await run("-r", "-u", "http://localhost:9993", "-c", config, "-f", registration);
  });

  function bridge(
    stop: () => Promise<void>,
    refused = never,
    drain: (withinMs: number) => Promise<number> = () => never,
  ): { start: StartBridge; options: BridgeOptions[] } {
    const options: BridgeOptions[] = [];
    const start: StartBridge = (given) => {
      options.push(given);
      return Promise.resolve({ stop, refused, drain, config: () => given.config, reload: () => never });
    };
    return { options, start };
  }

  test("reads its configuration again at SIGHUP, and goes on", async () => {
    const shell = new Shell();
    let reloads = 0;
    const start: StartBridge = async (given) => {
      // Nothing to read it for yet.
      shell.signal("SIGHUP");
      const read = given.source?.read;
      const reload = async (): Promise<never> => {
        reloads += 1;
        writeFileSync(config, `${minimalConfig}limits: {calls_in_all: 0}\n`);
        expect(read).toThrow(/config\.yaml:\d+: limits\.calls_in_all should be a whole number from 1 to 100000/);
        return never;
      };
      return { refused: never, drain: () => never, stop: async () => {}, config: () => given.config, reload };
    };
    const running = runCommand(["-c", config, "-f", registration], shell, start);
    await shell.cares;
    await vi.waitFor(() => expect(shell.stderr).toContain("still starting: the configuration is not read again"));
    await new Promise((resolve) => setImmediate(resolve));
    shell.signal("SIGHUP");
    expect([reloads, shell.exits]).toEqual([1, []]);
    shell.signal("SIGTERM");
    expect(await running).toBe(0);
  });

  test("starts with both files and the port, and stops at the first signal", async () => {
    const shell = new Shell();
    let stopped = 0;
    const { start, options } = bridge(async () => void (stopped += 1));
    const running = runCommand(["-c", config, "-f", registration, "-p", "9001"], shell, start);
    await shell.cares;
    shell.signal("SIGTERM");
    expect(await running).toBe(0);
    expect(stopped).toBe(1);
    expect(options).toMatchObject([{ port: 9001, config: { ghosts: { gateway: "sip.example.org" } } }]);
    expect(shell.exits).toEqual([]);
  });

  test.each([
    { format: undefined, isScreen: true, form: "pretty-in-colour" },
    { format: undefined, isScreen: false, form: "json" },
    { format: "pretty", isScreen: false, form: "pretty" },
    { format: "json", isScreen: true, form: "json" },
  ])("logs as $form if the format is $format and standard output a screen: $isScreen", async (row) => {
    if (row.format !== undefined) appendFileSync(config, `logging: { format: ${row.format} }\n`);
    const shell = Object.assign(new Shell(), { isScreen: row.isScreen });
    const { start, options } = bridge(async () => {});
    const running = runCommand(["-c", config, "-f", registration], shell, start);
    await shell.cares;
    shell.signal("SIGTERM");
    await running;
    expect(options).toMatchObject([{ logForm: row.form }]);
  });

  test("ends at once at the second signal", async () => {
    const shell = new Shell();
    const { start } = bridge(() => never);
    const running = runCommand(["-c", config, "-f", registration], shell, start);
    await shell.cares;
    shell.signal("SIGINT");
    expect(shell.exits).toEqual([]);
    shell.signal("SIGINT");
    expect(shell.exits).toEqual([130]);
    void running;
  });

  test("a signal that comes while it starts is not lost", async () => {
    const shell = new Shell();
    let stopped = 0;
    const start: StartBridge = async ({ config: given }) => {
      shell.signal("SIGTERM");
      const stop = async (): Promise<void> => void (stopped += 1);
      return { refused: never, drain: () => never, stop, config: () => given, reload: () => never };
    };
    expect(await runCommand(["-c", config, "-f", registration], shell, start)).toBe(0);
    expect(stopped).toBe(1);
  });

  describe("with shutdown.drain_seconds", () => {
    /** Its bridge drains until the test says that it has. */
    async function draining() {
      writeFileSync(config, `${minimalConfig}shutdown: {drain_seconds: 60}\n`);
      const shell = new Shell();
      const did: string[] = [];
      let drained: (ended: number) => void = () => {};
      const drain = (withinMs: number): Promise<number> => {
        did.push(`drain ${withinMs}`);
        return new Promise((resolve) => (drained = resolve));
      };
      const { start } = bridge(async () => void did.push("stop"), never, drain);
      const code = runCommand(["-c", config, "-f", registration], shell, start);
      await shell.cares;
      return { shell, did, code, drained: () => drained(0) };
    }

    test("SIGTERM waits for the calls before it stops", async () => {
      const { shell, did, code, drained } = await draining();
      shell.signal("SIGTERM");
      await expect.poll(() => did).toEqual(["drain 60000"]);
      drained();
      expect(await code).toBe(0);
      expect(did).toEqual(["drain 60000", "stop"]);
    });

    test("a second signal stops it without waiting any longer", async () => {
      const { shell, did, code } = await draining();
      shell.signal("SIGTERM");
      await expect.poll(() => did).toEqual(["drain 60000"]);
      shell.signal("SIGTERM");
      expect(await code).toBe(0);
      expect(did).toEqual(["drain 60000", "stop"]);
      expect(shell.exits).toEqual([]);
    });

    test("a signal after the last call has ended ends the process at once", async () => {
      writeFileSync(config, `${minimalConfig}shutdown: {drain_seconds: 60}\n`);
      const shell = new Shell();
      let stopped = 0;
      const { start } = bridge(
        () => ((stopped += 1), never),
        never,
        async () => 0,
      );
      void runCommand(["-c", config, "-f", registration], shell, start);
      await shell.cares;
      shell.signal("SIGTERM");
      await expect.poll(() => stopped).toBe(1);
      shell.signal("SIGTERM");
      expect(shell.exits).toEqual([143]);
    });

    test("SIGINT stops it as ever", async () => {
      const { shell, did, code } = await draining();
      shell.signal("SIGINT");
      expect(await code).toBe(0);
      expect(did).toEqual(["stop"]);
    });
  });

  test("a bridge that fails to stop is a fault", async () => {
    const shell = new Shell();
    const { start } = bridge(() => Promise.reject(new Error("stuck")));
    const running = runCommand(["-c", config, "-f", registration], shell, start);
    await shell.cares;
    shell.signal("SIGTERM");
    expect(await running).toBe(1);
    expect(shell.stderr).toContain("did not stop cleanly");
  });

  test("a configuration that can never work with the homeserver ends it, in one line, for good", async () => {
    const shell = new Shell();
    const refusal = Object.assign(
      new Error("the homeserver refused the user id @x:y: set ghosts.encoding to grammar"),
      {
        code: "encoding-refused",
      },
    );
    let stopped = 0;
    const { start } = bridge(async () => void (stopped += 1), Promise.reject(refusal));
    expect(await runCommand(["-c", config, "-f", registration], shell, start)).toBe(3);
    expect(stopped).toBe(1);
    expect(shell.stderr).toBe(`matrix-appservice-sip: cannot go on: ${refusal.message}\n`);
  });

  test("a port in use is one clear line", async () => {
    const holder = createServer();
    const port = await listen(holder);
    const start: StartBridge = () =>
      listen(createServer(), port).catch((cause: unknown) => {
        throw new Error("could not listen", { cause });
      }) as Promise<never>;
    const shell = new Shell();
    const code = await runCommand(["-c", config, "-f", registration], shell, start);
    await new Promise((resolve) => holder.close(resolve));
    expect(shell.stderr).toBe(
      `matrix-appservice-sip: cannot start: the address 127.0.0.1:${port} is in use by another program, or by another copy of this one\n`,
    );
    expect(code).toBe(4);
  });

  test("what an edge says of its failure is one line, a defect its whole trace", async () => {
    const edge = Object.assign(new Error("the database is newer\nthan this program"), { code: "newer-schema" });
    const fails = async (error: Error) => {
      const shell = new Shell();
      const start: StartBridge = async () => {
        throw error;
      };
      return { code: await runCommand(["-c", config, "-f", registration], shell, start), text: shell.stderr };
    };
    expect(await fails(edge)).toEqual({
      code: 4,
      text: "matrix-appservice-sip: cannot start: the database is newer than this program\n",
    });
    const defect = await fails(new TypeError("x is not a function"));
    expect(defect.code).toBe(1);
    expect(defect.text).toContain("command.test.ts");
  });

  test.each([
    ["-c", "config that is not there", () => rmSync(config)],
    ["-f", "registration that is not there", () => rmSync(registration)],
  ])("%s %s is one line", async (_, __, remove) => {
    remove();
    const { code, shell } = await run("-c", config, "-f", registration);
    expect(code).toBe(3);
    expect(shell.stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});
