// The commands over the admin API, as an admin runs them, over the socket of a bridge.
import { chmodSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { listen } from "../../../dev/loopback/listen.ts";
import { packageVersion } from "../../../src/cli/version.ts";
import { systemClock } from "../../../src/clock/system-clock.ts";
import { roomId, type UserId } from "../../../src/core/ids.ts";
import { endedCall } from "../../fakes/admin-door.ts";
import { newFolder, startAdmin, token } from "../../http/admin/admin-rig.ts";
import { configIn, run, shell } from "./shell.ts";

describe("calls", () => {
  test("are a table for people and JSON for programs", async () => {
    const { run: command, door } = await shell();
    const [call] = door.live;
    if (call === undefined) throw new Error("there is no call");
    door.live = [{ ...call, sinceMs: systemClock.wallMs() - 125_500 }];
    const { code, out } = await command("calls");
    const [heads, row] = out.split("\n");
    expect([code, heads]).toEqual([0, "CALL  DIRECTION  PERSON            NUMBER        TRUNK  PHASE      FOR"]);
    expect(row).toMatch(/^c-1   outbound   @ann:example\.org  \+\*{9}81  main   connected  2 min \d\d s$/);
    expect(JSON.parse((await command("calls", "--json")).out)).toMatchObject({ calls: [{ id: "c-1" }] });
    door.live = [];
    expect((await command("calls")).out).toBe("no calls\n");
  });

  test("are shown one by one, with their audio", async () => {
    const { run: command } = await shell();
    const { code, out } = await command("calls", "show", "c-1");
    expect(code).toBe(0);
    expect(out).toMatch(/^Number +\+\*{9}81$/m);
    expect(out).toMatch(/^From Matrix +50 packets, 0 lost, 0 ms jitter$/m);
    expect(JSON.parse((await command("calls", "show", "c-1", "--json")).out)).toMatchObject({ id: "c-1" });
  });

  test("are drawn with all that was said in them, and of a call that nobody knows the command says so", async () => {
    const { run: command } = await shell();
    const { code, out } = await command("calls", "ladder", "c-1");
    expect(code).toBe(0);
    expect(out).toBe(`            @ann:example.org               bridge                     main
                                                                 192.0.2.1:5060
  1    0.000        |                         |-------- INVITE -------->|
                    | 3 messages are not kept |                         |
  2    0.120        |----- m.call.hangup ---->|                         |
`);
    expect((await command("calls", "ladder", "c-1", "--full")).out).toMatch(
      /\n1\. 2026-\S+, bridge 192\.0\.2\.9:5070 -> main 192\.0\.2\.1:5060, UDP: INVITE\n {3}INVITE sip:/,
    );
    expect(JSON.parse((await command("trunks", "ladder", "main", "--json")).out)).toMatchObject({
      messages: [{ order: 1 }],
    });
    const unknown = await command("calls", "ladder", "c-7");
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining("no ladder of such a call")]);
  });

  test("are hung up with a reason", async () => {
    const { run: command, door } = await shell();
    expect(await command("calls", "hangup", "c-1", "--reason", "toll fraud")).toEqual({
      code: 0,
      out: "c-1 ends\n",
      err: "",
    });
    expect(door.ended).toEqual([["c-1", "toll fraud"]]);
    expect(door.noted).toMatchObject([{ action: "hang up call", detail: "toll fraud" }]);
  });

  test("that are not there are a wrong command line", async () => {
    const { run: command } = await shell();
    for (const verb of ["show", "hangup"])
      expect(await command("calls", verb, "c/../9")).toEqual({
        code: 2,
        out: "",
        err: "matrix-appservice-sip: there is no such call, or it has ended\n",
      });
  });

  test("give a terminal no orders, whoever is in them", async () => {
    const { run: command, door } = await shell();
    const evil = "!\u001b[2J\u009b31m\u202eroom:example.org";
    const [call] = door.live;
    if (call === undefined) throw new Error("there is no call");
    door.live = [{ ...call, room: roomId(evil), person: `@${evil}:x` as UserId }];
    for (const argv of [["calls"], ["calls", "show", "c-1"], ["calls", "--json"], ["calls", "show", "c-1", "--json"]])
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      expect((await command(...argv)).out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(JSON.parse((await command("calls", "--json")).out)).toMatchObject({ calls: [{ room: evil }] });
  });
});

test("trunks are listed, paused and resumed", async () => {
  const { run: command, door } = await shell();
  expect((await command("trunks", "pause", "main")).out).toBe("main is paused: no calls begin over it\n");
  expect(door.paused).toBe(true);
  expect((await command("trunks")).out).toMatch(
    /^TRUNK .*\nmain +up, paused +1 +2026-11-30 12:00:00 +OPTIONS answered 200\n$/,
  );
  expect((await command("trunks", "resume", "main")).out).toBe("main takes calls again\n");
  expect(await command("trunks", "pause", "mian")).toMatchObject({
    code: 2,
    err: expect.stringMatching(/there are main/) as string,
  });
  expect(JSON.parse((await command("trunks", "--json")).out)).toMatchObject({ trunks: [{ paused: false }] });
});

test("numbers and users are listed", async () => {
  const { run: command } = await shell();
  expect((await command("numbers")).out).toContain(
    "+441632960003  all     @ann:example.org (20 s), then @bob:example.org (20 s)\n",
  );
  expect((await command("users")).out).toMatch(
    /^@ann:example\.org +call, premium +1 of 2 +1 h 00 min +\* +\+441632960001$/m,
  );
  for (const what of ["numbers", "users"]) expect(JSON.parse((await command(what, "--json")).out)).toHaveProperty(what);
});

test("callers are blocked and unblocked, in any spelling, for everybody or for one person", async () => {
  const { run: command, door } = await shell();
  expect((await command("blocks")).out).toBe("nobody is blocked\n");
  expect((await command("blocks", "add", "020 7946 0123")).out).toBe("+442079460123 is blocked for everybody\n");
  expect((await command("blocks", "add", "+44 90*", "--for", "@ann:example.org", "--response", "busy")).out).toBe(
    "+4490* is blocked for @ann:example.org\n",
  );
  const { out } = await command("blocks");
  expect(out).toMatch(/^\+442079460123 +everybody +as configured +uid \d+ +2026-11-30 12:00:00$/m);
  expect(out).toMatch(/^\+\*\*90\* +@ann:example\.org +busy /m);
  expect(door.noted).toMatchObject([
    { action: "block", detail: "*** **** **23", outcome: "done" },
    { action: "block", detail: "+** 90* for @ann:example.org", outcome: "done" },
  ]);
  expect(await command("blocks", "remove", "+44 90*")).toMatchObject({
    code: 2,
    err: "matrix-appservice-sip: the block list has no such entry\n",
  });
  expect((await command("blocks", "remove", "+442079460123")).out).toBe(
    "+442079460123 is no longer blocked for everybody\n",
  );
  expect(JSON.parse((await command("blocks", "--json")).out)).toMatchObject({ blocks: [{ response: "busy" }] });
  for (const [callers, words] of [
    ["bob", "callers: should be a number"],
    ["+4*", "callers: the beginning of a number should have two digits at least"],
    ["112", "callers: emergency numbers cannot be blocked"],
  ] as const)
    expect(await command("blocks", "add", callers)).toMatchObject({
      code: 2,
      err: expect.stringContaining(words) as string,
    });
  expect((await command("blocks", "--whole-numbers")).err).toContain("admin.whole_numbers");
});

test("the level of the log is shown and set", async () => {
  const { run: command, door } = await shell();
  expect((await command("log", "level")).out).toBe("info\n");
  expect((await command("log", "level", "debug")).out).toBe("debug\n");
  expect(door.level).toBe("debug");
  expect(await command("log", "level", "loud")).toMatchObject({ code: 2, out: "" });
});

describe("export calls", () => {
  test("writes all pages as CSV that a spreadsheet takes for text", async () => {
    const { run: command, door } = await shell();
    door.history = [
      endedCall("c-3", { person: "@=cmd|'/C calc'!A0:x" as UserId, room: roomId('!"a",b') }),
      endedCall("c-2", {
        number: "=HYPERLINK(1)",
        called: "+441632960001",
        answeredAtMs: endedCall("c").endedAtMs - 61_000,
      }),
      ...Array.from({ length: 600 }, (_, index) => endedCall(`c-old${index}`, { number: "-1+1" })),
    ];
    const { code, out } = await command("export", "calls", "--csv");
    const lines = out.split("\r\n");
    expect([code, lines.length]).toEqual([0, 604]);
    expect(lines[0]).toMatch(/^id,direction,person,number,called,trunk,result,cause,/);
    expect(lines[1]).toMatch(/^c-3,outbound,'@=cmd\|'\/C calc'!A0:x,\+\*{9}81,,main,callee,busy,486,.*,"!""a"",b",,$/);
    expect(lines[2]).toMatch(/^c-2,outbound,@ann:example\.org,'=HYPERLINK\(1\),\+441632960001,.*,61,/);
    expect(lines[602]).toMatch(/^c-old599,outbound,@ann:example\.org,'-1\+1,/);
    expect(door.asked.map(({ limit }) => limit)).toEqual([500, 500]);
  });

  test("writes them as one list in JSON, an empty one too", async () => {
    const { run: command, door } = await shell();
    const { out } = await command("export", "calls", "--json");
    expect((JSON.parse(out) as { id: string }[]).map(({ id }) => id)).toEqual(["c-3", "c-2", "c-0"]);
    door.history = [];
    expect(JSON.parse((await command("export", "calls", "--json")).out)).toEqual([]);
  });

  test("asks for what the options name, and says what is wrong with them", async () => {
    const { run: command, door } = await shell();
    const options = [
      "--from",
      "2026-11-01",
      "--to",
      "2026-12-01",
      "--person",
      "@ann:example.org",
      "--result",
      "callee",
    ];
    await command("export", "calls", ...options);
    expect(door.asked).toMatchObject([
      { fromMs: Date.UTC(2026, 10, 1), toMs: Date.UTC(2026, 11, 1), person: "@ann:example.org", result: "callee" },
    ]);
    expect(await command("export", "calls", "--from", "yesterday")).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringMatching(/from: should be a time/) as string,
    });
    expect(await command("export", "calls", "--whole-numbers")).toMatchObject({
      code: 3,
      err: expect.stringMatching(/admin\.whole_numbers/) as string,
    });
  });
});

describe("what keeps a command from the bridge is said in words", () => {
  test("no bridge runs", async () => {
    const folder = newFolder();
    const path = join(folder, "here.sock");
    const config = configIn(folder, 'admin: {socket: {path: "here.sock"}}\n');
    expect(await run(config, "calls")).toEqual({
      code: 4,
      out: "",
      err: `matrix-appservice-sip: no bridge runs here: nobody listens at ${path}\n`,
    });
  });

  test("it is another user's", async () => {
    if (process.getuid?.() === 0) return;
    const { run: command, socketPath } = await shell();
    chmodSync(socketPath, 0);
    expect(await command("calls")).toMatchObject({ code: 4, err: /as the user that runs the bridge, or as root/ });
  });

  test("it is of another version", async () => {
    const { run: command, door } = await shell("9.9.9");
    const warning = `warning: the running bridge is version 9.9.9, and this command is of version ${packageVersion()}\n`;
    expect(await command("trunks")).toMatchObject({ code: 0, err: warning });
    door.logLevel = () => "shrill" as never;
    const failed = await command("log", "level");
    expect(failed).toMatchObject({ code: 4, out: "" });
    expect(failed.err).toContain("restart the bridge, or use its own command");
  });

  test("something else answers", async () => {
    const folder = newFolder();
    const server = createServer((_, response) => void response.writeHead(404).end("<html>"));
    onTestFinished(() => void server.close());
    const path = join(folder, "other.sock");
    await new Promise<void>((resolve) => void server.listen(path, resolve));
    const config = configIn(folder, `admin: {socket: {path: "${path}"}}\n`);
    expect(await run(config, "calls")).toMatchObject({
      code: 4,
      err: expect.stringMatching(/something else than the bridge answers \(404\)/) as string,
    });
  });

  test("the configuration has the API off", async () => {
    const config = configIn(newFolder(), "admin: {socket: {enabled: false}}\n");
    expect(await run(config, "calls")).toMatchObject({ code: 3, err: /turn on admin\.socket, or set admin\.listen/ });
  });
});

describe("config reload", () => {
  test("says what holds now and what waits", async () => {
    const { run: command, door } = await shell();
    const [applied, forRestart] = [["inbound.numbers", "trunks.spare"], ["homeserver.url"]];
    door.report = { kind: "reloaded", applied, forRestart, forLastCall: ["main"] };
    expect(await command("config", "reload")).toEqual({
      code: 0,
      err: "",
      out:
        "In force now:\n  inbound.numbers\n  trunks.spare\nWaiting for a restart:\n  homeserver.url\n" +
        "Trunks that change when their last call has ended:\n  main\n",
    });
    expect(door.noted).toMatchObject([{ action: "reload configuration" }]);
    door.report = { kind: "reloaded", applied: [], forRestart: [], forLastCall: [] };
    expect((await command("config", "reload")).out).toBe("nothing has changed\n");
  });

  test("says why nothing has changed", async () => {
    const { run: command, door } = await shell();
    door.report = { kind: "refused", problems: ["config.yaml:3: limits.calls_in_all should be a whole number"] };
    expect(await command("config", "reload")).toEqual({
      code: 3,
      out: "",
      err: "matrix-appservice-sip: not reloaded, nothing has changed:\nconfig.yaml:3: limits.calls_in_all should be a whole number\n",
    });
  });
});

test("without a socket a command takes the port, with the token of the configuration", async () => {
  const { port, door } = await startAdmin({ socketPath: undefined, version: packageVersion() });
  const at = (given: string, where = port): string =>
    configIn(newFolder(), `admin: {socket: {enabled: false}, listen: {port: ${where}}, token: "${given}"}\n`);
  expect(await run(at(token), "trunks", "pause", "main")).toMatchObject({ code: 0, err: "" });
  expect(door.noted).toMatchObject([{ who: "token from 127.0.0.1" }]);
  expect(await run(at(`${token}x`), "trunks")).toMatchObject({
    code: 3,
    err: expect.stringMatching(/this is not the token/) as string,
  });
  const server = createServer();
  const closed = await listen(server);
  await new Promise((resolve) => void server.close(resolve));
  expect(await run(at(token, closed), "trunks")).toMatchObject({
    code: 4,
    err: expect.stringMatching(/no bridge runs here/) as string,
  });
});
