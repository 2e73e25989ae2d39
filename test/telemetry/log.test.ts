import { describe, expect, it } from "vitest";
import { HomeserverError } from "../../src/ports/homeserver.ts";
import type { Log, LogLevel } from "../../src/ports/telemetry.ts";
import { createLog } from "../../src/telemetry/pino-log.ts";

function logAt(
  level: LogLevel,
  maskNumbers = true,
  ghostPrefix = "_sip_",
): { readonly log: Log; readonly lines: () => readonly Record<string, unknown>[] } {
  const written: string[] = [];
  const { log } = createLog({ level, maskNumbers, ghostPrefix, write: (line) => void written.push(line) });
  return { log, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const sdp =
  "v=0\r\no=+441632960123 1 1 IN IP4 192.0.2.1\r\np=+44 1632 960123\r\nk=clear:SECRETK\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRETKEY\r\na=ice-pwd:SECRETPWD\r\nm=audio 4000 RTP/SAVP 0\r\n";

describe("a log line", () => {
  it("has its level as a word, a time and a constant message, and nothing of the host", () => {
    const { log, lines } = logAt("info");
    log.info("trunk is up", { trunk: "main" });
    expect(lines()).toEqual([
      { level: "info", time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/), trunk: "main", msg: "trunk is up" },
    ]);
  });

  it("below the level is not written", () => {
    const { log, lines } = logAt("warn");
    log.info("no");
    log.debug("no");
    log.warn("yes");
    expect(lines().map((line) => line["msg"])).toEqual(["yes"]);
  });

  it("of a call carries the call's ids through its child", () => {
    const { log, lines } = logAt("info");
    const call = log.child({ call: "c-1", matrixCall: "17953", number: "+441818118181" });
    call.child({ sipCall: "abc@host" }).warn("media engine refused an order", { order: "media.offer" });
    expect(lines()[0]).toMatchObject({
      call: "c-1",
      matrixCall: "17953",
      sipCall: "abc@host",
      number: "+**********81",
    });
  });

  it("shows the last two digits of a number, by the field's name or by what is written", () => {
    const { log, lines } = logAt("info");
    log.info("x", {
      number: "01818118181",
      account: "+441818118181",
      target: "sip:01818118181@192.0.2.7:5060",
      ghost: "@_sip_01818118181%40sip.example.org:example.org",
      escaped: "/users/%40_sip_01818118181%2540sip.example.org",
      user: "@_sip_+15558675309:example.org",
      person: "@alice1234:example.org",
      event: "$123456789",
      text: "no route for tel:+441818118181 via <sip:+441818118181@gw.example.org;user=phone>",
    });
    expect(lines()[0]).toMatchObject({
      number: "*********81",
      account: "+**********81",
      ghost: "@_sip_*********81%40sip.example.org:example.org",
      user: "@_sip_+*********09:example.org",
      person: "@alice1234:example.org",
      event: "$123456789",
      text: "no route for tel:+**********81 via <sip:+**********81@gw.example.org;user=phone>",
    });
    expect(JSON.stringify(lines())).not.toContain("8118181");
  });

  it("hides the numbers of ghosts whatever their prefix, and those before a SIP address's parameters", () => {
    const { log, lines } = logAt("info", true, "tel.");
    log.info("x", {
      ghost: "@tel.01818118181%40sip.example.org:example.org",
      escaped: "/profile/%40tel.01818118181%2540sip.example.org",
      person: "@telx01818118181:example.org",
      text: "refused sip:9098790000;phone-context=+44@pbx.example.org",
    });
    expect(lines()[0]).toMatchObject({
      ghost: "@tel.*********81%40sip.example.org:example.org",
      person: "@telx01818118181:example.org",
      text: "refused sip:**********;phone-context=+44@pbx.example.org",
    });
    expect(lines()[0]?.["escaped"]).not.toContain("8118");
  });

  it("shows whole numbers where the configuration says so", () => {
    const { log, lines } = logAt("info", false);
    log.info("x", { number: "01818118181", ghost: "@_sip_01818118181:example.org" });
    expect(lines()[0]).toMatchObject({ number: "01818118181", ghost: "@_sip_01818118181:example.org" });
  });

  it("never shows a token, a password or a key, however deep", () => {
    const { log, lines } = logAt("trace", false);
    log.trace("x", {
      as_token: "SECRET1",
      trunk: { credentials: { username: "u", password: "SECRET2" }, list: [{ authorization: "SECRET3" }] },
      registration: { asToken: "SECRET7", hsToken: "SECRET8", icePwd: "SECRET9", privateKey: "SECRET10" },
      error: new Error("GET /x?access_token=SECRET4&a=1 failed with Bearer SECRET5"),
      message: "INVITE sip:1@x SIP/2.0\r\nProxy-Authorization: Digest response=SECRET6\r\nVia: x\r\n",
    });
    expect(JSON.stringify(lines())).not.toContain("SECRET");
    log.info("y", { monkey: "shown", keys: "shown", tokens: 2 });
    expect(lines()[1]).toMatchObject({ monkey: "shown", keys: "shown", tokens: 2 });
  });

  it("cannot be made of two by what a stranger says, nor filled by it", () => {
    const written: string[] = [];
    const { log } = createLog({
      level: "info",
      maskNumbers: true,
      ghostPrefix: "_sip_",
      write: (line) => void written.push(line),
    });
    log.warn("x", { error: new Error(`bad\r\n{"level":"error","msg":"forged"}\u001b[2J${"a".repeat(1_000_000)}`) });
    expect(written).toHaveLength(1);
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(written[0]).toMatch(/^[^\x00-\x1f]+\n$/);
    expect(written[0]?.length).toBeLessThan(5_000);
  });

  it("shows SDP only at trace, and without its keys", () => {
    const { log, lines } = logAt("trace");
    log.debug("x", { sdp, content: `INVITE sip:1@x SIP/2.0\r\nContent-Length: 9\r\n\r\n${sdp}` });
    log.trace("x", { sdp, nested: { sdp } });
    const [debug, trace] = lines();
    const shown = `[SDP, ${sdp.length} characters]`;
    expect(debug).toMatchObject({
      sdp: shown,
      content: `INVITE sip:1@x SIP/2.0\r\nContent-Length: 9\r\n\r\n${shown}`,
    });
    expect(trace?.["sdp"]).toContain("m=audio 4000");
    expect(JSON.stringify(trace)).not.toContain("SECRET");
    expect(JSON.stringify(trace)).not.toContain("1632");
  });

  it("tells of an error its code and cause, and where it was thrown only if it is one of ours to mend", () => {
    const { log, lines } = logAt("info");
    const cause = new Error("connect ECONNREFUSED");
    const error = new HomeserverError("UNREACHABLE", "no answer for @_sip_01818118181:example.org", true, { cause });
    log.warn("could not tell a person", { error });
    log.error("fault in a call", { error });
    const [warning, fault] = lines();
    expect(warning?.["error"]).toEqual({
      name: "HomeserverError",
      code: "UNREACHABLE",
      message: "no answer for @_sip_*********81:example.org",
      cause: { name: "Error", message: "connect ECONNREFUSED" },
    });
    expect(fault?.["error"]).toMatchObject({ stack: expect.stringContaining("log.test.ts") });
  });

  it("survives what is no plain value", () => {
    const { log, lines } = logAt("info");
    const loop: Record<string, unknown> = { big: 10n };
    loop["self"] = loop;
    log.info("x", { loop, nothing: null, list: Array.from({ length: 1_000 }, (_, index) => index), made: undefined });
    expect(lines()[0]).toMatchObject({ nothing: null, loop: { big: "10" } });
    expect(lines()[0]?.["list"]).toHaveLength(50);
  });
});

describe("its level", () => {
  it("can be changed while it runs, for those too that were made of it before", () => {
    const written: string[] = [];
    const { log, level, setLevel } = createLog({
      level: "info",
      maskNumbers: true,
      ghostPrefix: "_sip_",
      write: (line) => void written.push(line),
    });
    const ofCall = log.child({ call: "c-1" });
    ofCall.info("before");
    ofCall.debug("too small");
    setLevel("debug");
    ofCall.debug("after");
    setLevel("error");
    ofCall.warn("not grave enough");
    expect([level(), written.map((line) => (JSON.parse(line) as { msg: string }).msg)]).toEqual([
      "error",
      ["before", "after"],
    ]);
  });
});

describe("a log for people", () => {
  function prettyLog(form: "pretty" | "pretty-in-colour") {
    const written: string[] = [];
    const { log } = createLog({
      level: "info",
      maskNumbers: true,
      ghostPrefix: "_sip_",
      form,
      write: (line) => void written.push(line),
    });
    return { log, text: () => written.join("") };
  }

  it("has the hour, the level, the message and the fields in one line, and the same mask", () => {
    const { log, text } = prettyLog("pretty");
    log
      .child({ call: "c-1" })
      .warn("trunk is down", { trunk: "main", number: "+441818118181", tries: 3, why: "no answer" });
    expect(text()).toMatch(
      /^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: trunk is down {2}call=c-1 {2}trunk=main {2}number=\+\*{10}81 {2}tries=3 {2}why="no answer"\n$/,
    );
  });

  it("lets nothing that a peer sent steer the terminal or make a line of its own", () => {
    const { log, text } = prettyLog("pretty");
    const hostile = "\u001B[2J\u009B31m\r\n[00:00:00.000] INFO: all is well\u202E\u2028x";
    log.error("call refused", { reason: hostile, error: new Error(hostile), deep: { list: [hostile] } });
    expect(text().match(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu)).toEqual(["\n"]);
    expect(text()).toContain(String.raw`\u001b[2J\u009b31m`);
  });

  it("is coloured if that is wanted", () => {
    const { log, text } = prettyLog("pretty-in-colour");
    log.info("bridge is up");
    expect(text()).toContain("\u001B[");
  });
});
