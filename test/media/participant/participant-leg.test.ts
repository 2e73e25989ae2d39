// How long a leg tries to be let in, and that what is no media server does it no harm.
import { createServer } from "node:http";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { listen } from "../../../dev/loopback/listen.ts";
import { ParticipantLeg, type ParticipantReports } from "../../../src/media/embedded/participant/participant-leg.ts";

const nobody = { participants: [], ownKey: undefined };

function newLeg(): { readonly leg: ParticipantLeg; readonly told: string[] } {
  const told: string[] = [];
  const reports: ParticipantReports = {
    rtp: () => told.push("rtp"),
    rtcp: () => told.push("rtcp"),
    connected: () => told.push("connected"),
    gone: (how) => told.push(how),
    failed: (message) => told.push(`failed: ${message}`),
    wanted: () => told.push("wanted"),
    guard: (work) => work(),
    speaks: ({ name }) => told.push(`speaks ${name}`),
    met: (isAnybody) => told.push(`met: ${isAnybody}`),
    alive: () => told.push("alive"),
    log: (_level, _message, { reason }) => told.push(`log: ${String(reason)}`),
  };
  const ice = { bindHost: "127.0.0.1", advertisedHosts: [], portMin: undefined, portMax: undefined };
  return { leg: new ParticipantLeg({ ice, ssrc: 1, cname: "us", reconnectTimeoutMs: 30_000 }, reports), told };
}

describe("without an admission", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("it asks soon again, then every half second, and gives up after ten seconds", () => {
    const { leg, told } = newLeg();
    const startMs = Date.now();
    const asked: number[] = [];
    leg.attend(nobody);
    for (let step = 0; step < 300; step += 1) {
      if (told.at(-1) === "wanted") {
        asked.push(Date.now() - startMs);
        leg.enter(undefined);
      }
      vi.advanceTimersByTime(50);
    }
    expect(asked.slice(0, 6)).toEqual([0, 100, 300, 700, 1200, 1700]);
    expect(asked).toHaveLength(22);
    expect(told.at(-1)).toBe("failed: not let in at the media server");
  });

  test("it gives up after ten seconds as well where nobody answers", () => {
    const { leg, told } = newLeg();
    leg.attend(nobody);
    vi.advanceTimersByTime(9900);
    expect(told).toEqual(["wanted"]);
    vi.advanceTimersByTime(200);
    expect(told.at(-1)).toBe("failed: not let in at the media server");
  });

  test("it asks no more once it is closed", async () => {
    const { leg, told } = newLeg();
    leg.attend(nobody);
    leg.enter(undefined);
    await leg.close();
    vi.advanceTimersByTime(60_000);
    leg.enter({ url: "ws://127.0.0.1:1", token: "" });
    expect(told).toEqual(["wanted", "log: no admission"]);
  });

  test.for(["ftp://sfu.example.org", "nonsense", ""])("an address that is none is like none: %s", (url) => {
    const { leg, told } = newLeg();
    leg.attend(nobody);
    leg.enter({ url, token: "" });
    vi.advanceTimersByTime(500);
    expect(told.filter((each) => each === "wanted")).toHaveLength(2);
  });
});

test.for([
  ["text", "hello", "not a LiveKit server"],
  ["nonsense", Buffer.from([0xff, 0xff]), "not a LiveKit server"],
  ["more than a megabyte", Buffer.alloc(1_100_000), "Max payload size exceeded"],
] as const)("a server that says %s is left, and asked for another admission", async ([, words, reason]) => {
  const http = createServer();
  const port = await listen(http);
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (socket) => socket.on("error", () => undefined).send(words));
  const { leg, told } = newLeg();
  leg.attend(nobody);
  leg.enter({ url: `http://127.0.0.1:${port}`, token: "token" });
  await expect.poll(() => told).toContain(`log: ${reason}`);
  await expect.poll(() => told.at(-1)).toBe("wanted");
  await leg.close();
  http.close();
});

test("the token goes in a header, and not in the address that proxies write down", async () => {
  const http = createServer();
  const port = await listen(http);
  const asked = new Promise<{ readonly url: string; readonly authorization: string }>((resolve) => {
    http.on("upgrade", ({ url = "", headers: { authorization = "" } }, socket) => {
      socket.destroy();
      resolve({ url, authorization });
    });
  });
  const { leg } = newLeg();
  leg.attend(nobody);
  leg.enter({ url: `http://127.0.0.1:${port}/livekit/`, token: "secret" });
  const { url, authorization } = await asked;
  expect(authorization).toBe("Bearer secret");
  expect(url).toMatch(/^\/livekit\/rtc\/v1\?join_request=[\w%-]+$/);
  expect(url).not.toContain("secret");
  await leg.close();
  http.close();
});
