import { describe, expect, it } from "vitest";
import { allCauses } from "../../src/core/call/model/cause.ts";
import { trunkName } from "../../src/core/ids.ts";
import { createTelemetry, type OwnTelemetry } from "../../src/telemetry/telemetry.ts";
import { recordOf } from "../contract/store-examples.ts";

interface Rig {
  readonly telemetry: OwnTelemetry;
  readonly lines: Record<string, unknown>[];
  readonly value: (series: string) => Promise<number | undefined>;
}

function start(): Rig {
  const lines: Record<string, unknown>[] = [];
  const telemetry = createTelemetry({
    level: "info",
    maskNumbers: true,
    ghostPrefix: "_sip_",
    write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  return {
    telemetry,
    lines,
    value: async (series) => {
      const { text } = await telemetry.exposition();
      const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
  };
}

const record = {
  ...recordOf("c-1", 61_000),
  cause: "caller-hung-up",
  result: "success",
  sipStatus: 200,
  ringingAtMs: 1_200,
  answeredAtMs: 3_500,
  media: {
    codec: "PCMA",
    a: { packets: 100, bytes: 17_200, lost: 3, jitterMs: 1.6, lastHeardAtMs: 1 },
    b: { packets: 90, bytes: 15_000, lost: 0, jitterMs: 0.2, lastHeardAtMs: 1 },
  },
} as const;

const converted = { ...record, media: { ...record.media, converted: { a: "opus", b: "PCMA" } } } as const;

describe("the metrics", () => {
  it("tell how long the homeserver took, by request and class of status", async () => {
    const { telemetry, value } = start();
    for (const status of [200, 201, 404, 429, 0]) telemetry.homeserverAnswered("PUT rooms/send", status, 20);
    const counted = (status: string) =>
      value(`matrix_sip_homeserver_request_seconds_count{request="PUT rooms/send",status="${status}"}`);
    expect(await Promise.all(["2xx", "4xx", "429", "none"].map(counted))).toEqual([2, 1, 1, 1]);
  });

  it("count calls by whose doing the end was and why, and every cause exists before its first call", async () => {
    const { telemetry, value } = start();
    const { text } = await telemetry.exposition();
    for (const cause of allCauses) expect(text).toContain(`cause="${cause}"`);
    telemetry.callStarted("outbound");
    expect(await value('matrix_sip_calls_active{direction="outbound"}')).toBe(1);
    telemetry.callAnswered(2_500);
    telemetry.callEnded(record, "outbound");
    expect(await value('matrix_sip_calls_active{direction="outbound"}')).toBe(0);
    const series = 'matrix_sip_calls_total{direction="outbound",result="success",cause="caller-hung-up"}';
    expect(await value(series)).toBe(1);
    expect(await value('matrix_sip_call_setup_seconds_bucket{le="2"}')).toBe(0);
    expect(await value('matrix_sip_call_setup_seconds_bucket{le="3"}')).toBe(1);
    expect(await value("matrix_sip_call_duration_seconds_sum")).toBe(57.5);
    expect(await value('matrix_sip_media_packets_total{side="matrix"}')).toBe(100);
    expect(await value('matrix_sip_media_packets_lost_total{side="matrix"}')).toBe(3);
    const matrix = `side="matrix"`;
    expect(await value(`matrix_sip_call_loss_ratio_sum{trunk="${record.trunk}",${matrix}}`)).toBeCloseTo(3 / 103);
    expect(await value(`matrix_sip_call_jitter_seconds_sum{trunk="${record.trunk}",${matrix}}`)).toBeCloseTo(0.0016);
    expect(await value(`matrix_sip_call_mos_sum{trunk="${record.trunk}",${matrix}}`)).toBeCloseTo(4.14, 1);
  });

  it("never count fewer than no calls, as after a restart", async () => {
    const { telemetry, value } = start();
    telemetry.callEnded(record, "outbound");
    expect(await value('matrix_sip_calls_active{direction="outbound"}')).toBe(0);
  });

  it("count what is under way by direction, also where a transfer has made another call of it", async () => {
    const { telemetry, value } = start();
    telemetry.callStarted("outbound");
    telemetry.callStarted("inbound");
    telemetry.callEnded({ ...record, direction: "inbound" }, "outbound");
    expect(await value('matrix_sip_calls_active{direction="outbound"}')).toBe(0);
    expect(await value('matrix_sip_calls_active{direction="inbound"}')).toBe(1);
  });

  it("count lookups, whatever a stranger names the network", async () => {
    const { telemetry, value } = start();
    telemetry.lookedUp("m.protocol.pstn", "found");
    for (const name of ["irc", "x".repeat(1_000), 'a"b\n']) telemetry.lookedUp(name, "unknown-protocol");
    expect(await value('matrix_sip_lookups_total{protocol="m.protocol.pstn",outcome="found"}')).toBe(1);
    expect(await value('matrix_sip_lookups_total{protocol="other",outcome="unknown-protocol"}')).toBe(3);
  });

  it("count texts by direction and outcome, from none on", async () => {
    const { telemetry, value } = start();
    expect(await value('matrix_sip_texts_total{direction="inbound",outcome="failed"}')).toBe(0);
    telemetry.texted("outbound", "delivered");
    expect(await value('matrix_sip_texts_total{direction="outbound",outcome="delivered"}')).toBe(1);
  });

  it("count the calls whose audio was converted by the codecs, and no others", async () => {
    const { telemetry, value } = start();
    for (const ended of [record, converted]) telemetry.callEnded(ended, "outbound");
    expect(await value('matrix_sip_calls_converted_total{matrix="opus",trunk="PCMA",side="both"}')).toBe(1);
    telemetry.callEnded(
      { ...converted, media: { ...record.media, converted: { a: "opus", b: "PCMA", only: "a" } } },
      "outbound",
    );
    expect(await value('matrix_sip_calls_converted_total{matrix="opus",trunk="PCMA",side="matrix"}')).toBe(1);
  });

  it("show trunks, events and ignored facts", async () => {
    const { telemetry, value } = start();
    expect(await value('matrix_sip_calls_unheard_total{side="trunk"}'), "rate() sees the first one").toBe(0);
    expect(await value('matrix_sip_media_packets_lost_total{side="matrix"}')).toBe(0);
    telemetry.trunkState(trunkName("main"), true);
    telemetry.trunkState(trunkName("spare"), false);
    telemetry.eventsTaken(5, 2);
    telemetry.inboxDepth(3);
    telemetry.factIgnored("sip.ringing", "ended");
    telemetry.callUnheard("b");
    expect(await value('matrix_sip_trunk_up{trunk="main"}')).toBe(1);
    expect(await value('matrix_sip_trunk_up{trunk="spare"}')).toBe(0);
    expect(await value('matrix_sip_calls_unheard_total{side="trunk"}')).toBe(1);
    expect(await value("matrix_sip_events_total")).toBe(5);
    expect(await value("matrix_sip_events_duplicate_total")).toBe(2);
    expect(await value("matrix_sip_inbox_events")).toBe(3);
    expect(await value('matrix_sip_facts_ignored_total{fact="sip.ringing",phase="ended"}')).toBe(1);
  });

  it("of two telemetries in one process are apart, and each has the process's own", async () => {
    const [first, second] = [start(), start()];
    first.telemetry.eventsTaken(1, 0);
    expect(await second.value("matrix_sip_events_total")).toBe(0);
    expect((await first.telemetry.exposition()).text).toContain("nodejs_eventloop_lag_seconds");
  });
});

describe("a call that ended", () => {
  it("leaves one line at info with its ids, its cause and its media, the number masked", () => {
    const { telemetry, lines } = start();
    telemetry.callEnded(record, "outbound");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: "info",
      msg: "call ended",
      call: "c-1",
      matrixCall: "matrix-c-1",
      direction: "outbound",
      person: "@alice:example.org",
      number: "*********81",
      trunk: "main",
      result: "success",
      cause: "caller-hung-up",
      sipStatus: 200,
      ringingAfterMs: 200,
      answeredAfterMs: 2_500,
      talkedMs: 57_500,
      media: { codec: "PCMA", fromMatrix: { packets: 100, lost: 3, jitterMs: 2 }, fromTrunk: { packets: 90 } },
    });
  });

  it("and whose audio was converted names the codec at each side", () => {
    const { telemetry, lines } = start();
    telemetry.callEnded(converted, "outbound");
    expect(lines[0]).toMatchObject({ media: { codec: "PCMA", converted: { matrix: "opus", trunk: "PCMA" } } });
  });

  it("and came from the telephone names both numbers, masked", () => {
    const { telemetry, lines } = start();
    const { leg: _nobody, ...missed } = record;
    const inbound = { ...missed, leg: undefined, direction: "inbound", called: "+441632960001" } as const;
    telemetry.callEnded(inbound, "inbound");
    expect(lines[0]).toMatchObject({
      direction: "inbound",
      person: "@alice:example.org",
      called: "+**********01",
    });
  });

  it("is logged without what never happened", () => {
    const { telemetry, lines } = start();
    telemetry.callEnded(recordOf("c-2", 2_000), "outbound");
    expect(lines[0]).toMatchObject({ result: "callee", cause: "busy", sipStatus: 486 });
    for (const field of ["talkedMs", "answeredAfterMs", "ringingAfterMs", "unsettled", "sipCall"]) {
      expect(lines[0]).not.toHaveProperty(field);
    }
  });
});
