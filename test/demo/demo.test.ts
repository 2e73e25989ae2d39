// `npm run demo` as a newcomer runs it: a process of its own, its output, its exit code, and what it leaves behind.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listen } from "../../dev/loopback/listen.ts";
import { patienceMs } from "../../dev/loopback/patience.ts";

// Each test starts processes that load the whole bridge, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 4 * patienceMs });

const root = resolve(import.meta.dirname, "../..");
let folder = "";
const ending: (() => unknown)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "demo-test-"));
});
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
  await rm(folder, { recursive: true, force: true });
});

function demo(args: readonly string[], nodeFlags: readonly string[] = []) {
  const child = spawn(process.execPath, [...nodeFlags, "dev/demo.mjs", ...args], {
    cwd: root,
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  ending.push(() => child.kill("SIGKILL"));
  let out = "";
  let err = "";
  let changed: () => void = () => undefined;
  child.stdout.on("data", (bytes: Buffer) => {
    out += bytes.toString();
    changed();
  });
  child.stderr.on("data", (bytes: Buffer) => {
    err += bytes.toString();
  });
  const exited = once(child, "close").then(([code]) => ({ code: code as number | null, out, err }));
  const said = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(out);
      if (found !== null) return found;
      await Promise.race([
        new Promise<void>((resolve) => {
          changed = resolve;
        }),
        exited.then(() => {
          throw new Error(`ended without ${pattern}: ${out}${err}`);
        }),
      ]);
    }
  };
  return { child, exited, said };
}

/** In this order, with anything between. */
const inOrder = (...parts: readonly string[]): RegExp => new RegExp(parts.join("[^]*"));

describe("npm run demo -- --headless", () => {
  it("places a call, measures it at both ends, and exits with 0", async () => {
    const { code, out, err } = await demo(["--headless"]).exited;
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toMatch(
      inOrder(
        "lookup 02079460102",
        "@_sip_02079460102%40sip\\.example\\.org:localhost",
        "m\\.call\\.invite",
        "INVITE sip:\\+442079460102@127\\.0\\.0\\.1",
        "180 Ringing",
        "200 OK \\(INVITE\\)",
        "m\\.call\\.answer",
        "m\\.call\\.select_answer",
      ),
    );
    expect(out).toMatch(inOrder("200 OK \\(INVITE\\)", "ACK sip:"));
    expect(out).toMatch(
      inOrder(
        "lookup +02079460102 is @_sip_",
        "invite +sent after \\d+ ms",
        "ghost +joined after \\d+ ms",
        "ringing +the gateway sent 180",
        "answer +after \\d+ ms, audio connected after \\d+ ms",
        "tone out +the gateway hears 800 Hz, [\\d,]+ times all else",
        "tone back +the caller hears 440 Hz, [\\d,]+ times all else",
        "keys +the gateway got 159#, 160, 160, 160, 160 ms",
        "m\\.call\\.hangup \\(user_hangup\\)",
        "BYE sip:",
        "hang-up +the gateway got BYE",
        "The call worked from end to end\\.",
      ),
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it("says in one line why a call did not come about, and exits with 1", async () => {
    const { code, err } = await demo(["--headless", "--number", "02079460404"]).exited;
    expect(err).toBe("The call was refused as unknown_error: This number is not in service.\n");
    expect(code).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("npm run demo -- --headless --inbound", () => {
  it("lets the gateway call, measures the call at both ends, and exits with 0", async () => {
    const { code, out, err } = await demo(["--headless", "--inbound"]).exited;
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toMatch(
      inOrder(
        "INVITE sip:\\+442079460000@127\\.0\\.0\\.1",
        "invites @alice:localhost to a room",
        "m\\.call\\.invite",
        "m\\.call\\.answer",
        "200 OK \\(INVITE\\)",
        "ACK sip:",
      ),
    );
    // The telephone rings too while the person has not joined the room yet.
    expect(out).toMatch(inOrder("invites @alice:localhost to a room", "180 Ringing", "m\\.call\\.answer"));
    expect(out).toMatch(
      inOrder(
        "invite +The gateway calls \\+442079460000",
        "ghost +@_sip_\\S+442079460102",
        "ringing +the client rings, the gateway got 100, 180, 200",
        "answer +after \\d+ ms, audio connected after \\d+ ms",
        "tone out +the gateway hears 800 Hz, [\\d,]+ times all else",
        "tone back +the person hears 440 Hz, [\\d,]+ times all else",
        "keys +the gateway got 159#, 160, 160, 160, 160 ms",
        "keys back +the person got 204",
        "BYE sip:",
        "m\\.call\\.hangup",
        "hang-up +the client got hung up",
        "The call worked from end to end\\.",
      ),
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it("says in one line that nobody has the number, and exits with 1", async () => {
    const { out } = await demo(["--print-config"]).exited;
    const path = join(folder, "mine.yaml");
    const config = out.replace('"demo.db"', JSON.stringify(join(folder, "mine.db")));
    await writeFile(path, config.replace('- number: "+442079460000"', '- number: "+442079460001"'));
    const { code, err } = await demo(["--headless", "--inbound", "--config", path]).exited;
    expect(err).toBe("The gateway's call was refused (404) before anything rang.\n");
    expect(code).toBe(1);
  });
});

describe("npm run demo", () => {
  it("serves a page to call from, and leaves nothing behind at Ctrl-C", async () => {
    const { child, exited, said } = demo(["--port", "0"]);
    const [, url = ""] = await said(/Open (http:\S+) and dial/);
    const page = await fetch(url);
    expect(await page.text()).toContain("<html");
    await said(/02079460101 +echo[^]*02079460486 +busy[^]*Ctrl-C ends everything/);
    expect(await readdir(folder)).toHaveLength(1);
    child.kill("SIGINT");
    const { code, err } = await exited;
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(await readdir(folder)).toEqual([]);
    await expect(fetch(url)).rejects.toThrow();
  });

  it("says in one line that a port is taken", async () => {
    const server = createServer();
    await listen(server);
    ending.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { code, err } = await demo(["--port", String(port)]).exited;
    expect(err).toBe(`Port ${port} for the page is taken by another program; --port names another one.\n`);
    expect(code).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it("runs with a configuration of one's own, here with SIP over TCP, and names the key that is missing", async () => {
    const { out } = await demo(["--print-config", "--tcp"]).exited;
    const path = join(folder, "mine.yaml");
    const config = out.replace('"demo.db"', JSON.stringify(join(folder, "mine.db")));
    await writeFile(path, config);
    const whole = await demo(["--headless", "--config", path]).exited;
    expect(whole).toMatchObject({ code: 0, err: "", out: expect.stringContaining(";transport=tcp") });

    await writeFile(path, config.replace("  domain: localhost\n", ""));
    const { code, err } = await demo(["--headless", "--config", path]).exited;
    expect(err).toMatch(/^\S+mine\.yaml:\d+: homeserver\.domain is missing[^\n]*\n$/);
    expect(code).toBe(1);
  });

  it("says in one line that this Node is too old", async () => {
    const { code, err } = await demo([], ["--no-experimental-strip-types"]).exited;
    expect(err).toMatch(/^The demo needs Node 24, and this is v\S+\. Run `npm ci`[^\n]*\n$/);
    expect(code).toBe(1);
  });

  it.each([
    [["--colour"], /^Unknown option '--colour'; --help shows what there is\n$/],
    [["--rtc"], /^--rtc goes with --headless, and not with --inbound\n$/],
    [["--inbound"], /^--inbound goes with --headless; the page has a button that lets the gateway call\n$/],
    [
      ["--headless", "--inbound", "--number", "1"],
      /^--number is whom to call, and with --inbound the gateway calls\n$/,
    ],
    [["--port", "http"], /^--port should be a port number, 0 to 65535, not "http"\n$/],
  ])("says in one line what is wrong with %j", async (args, line) => {
    const { code, err } = await demo(args).exited;
    expect(err).toMatch(line);
    expect(code).toBe(1);
  });
});
