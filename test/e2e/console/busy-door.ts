// A bridge in the middle of a busy day, as an admin's tools see it: what the docs' pictures show.
import { callId, roomId, trunkName, type UserId } from "../../../src/core/ids.ts";
import type { EndStats, MediaStats } from "../../../src/core/call/model/media-stats.ts";
import type { DirectionQuality } from "../../../src/core/quality/direction-quality.ts";
import type { QualitySample } from "../../../src/ports/admin/quality-door.ts";
import type { AdminDoor, TrunkStatus } from "../../../src/ports/admin/admin-door.ts";
import type { EndedCall, MeasuredCall } from "../../../src/ports/admin/observed-call.ts";
import { exampleLadder } from "./example-ladder.ts";
import { endedCall, FakeDoor } from "../../fakes/admin-door.ts";

const minuteMs = 60_000;
const asUser = (name: string): UserId => `@${name}:example.org` as UserId;

/** 50 packets a second, of which some are lost: more at some times than at others. */
function heard(afterMs: number, lostPart: number, jitterMs: number, nowMs: number): EndStats {
  const packets = Math.round(afterMs / 20);
  const lost = Math.round(packets * lostPart + 40 * lostPart * (1 + Math.sin(nowMs / 5_000)) * 10);
  return { packets, bytes: packets * 172, lost, jitterMs, lastHeardAtMs: nowMs };
}

interface Line {
  readonly id: string;
  readonly who: string | undefined;
  readonly number: string;
  readonly trunk: string;
  readonly direction: "outbound" | "inbound";
  readonly phase: MeasuredCall["phase"];
  readonly forMs: number;
  readonly loss?: number;
  readonly jitterMs?: number;
}

const lines: readonly Line[] = [
  {
    id: "c-0Tq9mZr2VfYc3bXw8kLp51",
    who: "alice",
    number: "+44*******081",
    trunk: "sipgate",
    direction: "outbound",
    phase: "connected",
    forMs: 4 * minuteMs,
    loss: 0.002,
    jitterMs: 7,
  },
  {
    id: "c-7Hd2kQn5RtBv1sGz4mWx90",
    who: "bob",
    number: "+49*******512",
    trunk: "sipgate",
    direction: "inbound",
    phase: "connected",
    forMs: 61 * minuteMs,
    loss: 0.034,
    jitterMs: 24,
  },
  {
    id: "c-3Pf8wJc6LyNa9eKu2hTo47",
    who: undefined,
    number: "+33*******204",
    trunk: "pbx",
    direction: "inbound",
    phase: "ringing",
    forMs: 9_000,
  },
  {
    id: "c-5Vs1bMx7DgRq0iCy8nEz36",
    who: "charlotte.van.der.berg",
    number: "+41*******773",
    trunk: "pbx",
    direction: "outbound",
    phase: "beginning",
    forMs: 2_000,
  },
];

/** Some waves, so that graphs have something to show. */
function sampleAt({ loss = 0, jitterMs = 0 }: Line, atMs: number): QualitySample {
  const wave = 1 + 0.7 * Math.sin(atMs / 23_000) * Math.sin(atMs / 7_000);
  const direction = (part: number): DirectionQuality => ({
    packets: 250,
    lostPercent: 100 * loss * part * wave,
    jitterMs: jitterMs * part * wave,
    onwardLostPercent: undefined,
    onwardJitterMs: undefined,
    roundTripMs: 38 * part * (0.8 + wave / 5),
    levelDbov: -24 - 14 * part * Math.abs(Math.sin(atMs / 9_000)),
    delayMs: 90,
    opinion: Math.max(1, 4.41 - 30 * loss * part * wave - 0.1 * wave),
  });
  return { atMs, quality: { a: direction(0.4), b: direction(1) } };
}

const endings = [
  ["callee-hung-up", "success", undefined],
  ["caller-hung-up", "success", undefined],
  ["busy", "callee", 486],
  ["callee-hung-up", "success", undefined],
  ["no-answer", "callee", 480],
  ["missed", "caller", undefined],
  ["trunk-timeout", "upstream", 408],
  ["premium-barred", "caller", undefined],
  ["media-lost", "bridge", undefined],
] as const satisfies readonly (readonly [EndedCall["cause"], EndedCall["result"], number | undefined])[];

export class BusyDoor extends FakeDoor {
  readonly #sinceMs = Date.now();

  /** `ended`: calls in the history. */
  constructor(ended: number) {
    super();
    const people = ["alice", "bob", "charlotte.van.der.berg", "dimitri"];
    this.history = Array.from({ length: ended }, (_, index): EndedCall => {
      const [cause, result, sipStatus] = endings[index % endings.length] ?? endings[0];
      const endedAtMs = this.#sinceMs - (index * 23 + 4) * minuteMs;
      const talkedMs = result === "success" ? ((index * 37) % 840) * 1_000 + 21_000 : undefined;
      return endedCall(`c-ended-${index}`, {
        person: asUser(people[index % people.length] ?? "alice"),
        direction: index % 3 === 1 ? "inbound" : "outbound",
        trunk: trunkName(index % 4 === 3 ? "pbx" : "sipgate"),
        number: `+44*******${String(100 + ((index * 71) % 900))}`,
        called: index % 3 === 1 ? "+44*******001" : undefined,
        cause,
        result,
        sipStatus,
        startedAtMs: endedAtMs - (talkedMs ?? 0) - 8_000,
        answeredAtMs: talkedMs === undefined ? undefined : endedAtMs - talkedMs,
        endedAtMs,
      });
    });
  }

  override calls = async (): Promise<readonly MeasuredCall[]> => {
    const nowMs = Date.now();
    return lines.map(({ id, who, number, trunk, direction, phase, forMs, loss, jitterMs = 0 }, index) => {
      const wave = 1 + 0.6 * Math.sin(nowMs / 7_000 + index);
      const media: MediaStats | undefined =
        loss === undefined
          ? undefined
          : {
              codec: index === 0 ? "PCMA" : "G722",
              a: heard(forMs + nowMs - this.#sinceMs, loss / 3, jitterMs * 0.6 * wave, nowMs),
              b: heard(forMs + nowMs - this.#sinceMs, loss, jitterMs * wave, nowMs),
            };
      return {
        id: callId(id),
        direction,
        person: who === undefined ? undefined : asUser(who),
        room: roomId(`!call${index}:example.org`),
        number,
        called: direction === "inbound" ? "+44*******001" : undefined,
        trunk: trunkName(trunk),
        phase,
        sinceMs: this.#sinceMs - forMs,
        startedAtMs: this.#sinceMs - forMs - 8_000,
        answeredAtMs: phase === "connected" ? this.#sinceMs - forMs : undefined,
        media,
      };
    });
  };

  override ladder: AdminDoor["ladder"] = async (call) =>
    call === lines[0]?.id ? exampleLadder(this.#sinceMs - lines[0].forMs - 8_000) : [];

  override readonly quality: AdminDoor["quality"] = {
    of: (call) => {
      const line = lines.find(({ id }) => id === call);
      if (line?.loss === undefined) return undefined;
      return Array.from({ length: 60 }, (_, index) => sampleAt(line, this.#sinceMs - (60 - index) * 5_000));
    },
    subscribe: () => () => {},
  };

  override trunks(): readonly TrunkStatus[] {
    const health = (name: string, state: "up" | "down", detail: string, agoMs: number) => ({
      name: trunkName(name),
      state,
      detail,
      sinceMs: this.#sinceMs - agoMs,
    });
    return [
      {
        health: { ...health("sipgate", "up", "REGISTER answered 200", 31 * 3_600_000), registered: true },
        paused: this.paused,
        calls: 2,
      },
      { health: health("pbx", "up", "OPTIONS answered 200", 9 * 86_400_000), paused: false, calls: 2 },
      {
        health: {
          ...health("twilio", "down", "REGISTER answered 403 Forbidden: the provider refuses the login", 7 * minuteMs),
          registered: false,
        },
        paused: false,
        calls: 0,
      },
    ];
  }

  override pause(trunk: string): boolean {
    if (trunk === "sipgate") this.paused = true;
    return trunk === "sipgate";
  }
  override resume(trunk: string): boolean {
    if (trunk === "sipgate") this.paused = false;
    return trunk === "sipgate";
  }

  override limits: AdminDoor["limits"] = () => ({
    callsInAll: { limit: 20, used: 4 },
    callsPerUser: 2,
    callsPerMinute: 10,
    maxDurationMs: 4 * 3_600_000,
    allow: ["shared-cost"],
    people: [
      { person: asUser("alice"), limit: 2, used: 1 },
      { person: asUser("bob"), limit: 2, used: 1 },
      { person: asUser("charlotte.van.der.berg"), limit: 1, used: 1 },
    ],
  });

  override users: AdminDoor["users"] = () => {
    const may = { mayCall: true, callsAtOnce: 2, maxDurationMs: 4 * 3_600_000 };
    return [
      { ...may, subject: "example.org", rule: "example.org", allow: ["shared-cost"], calls: undefined, rungBy: [] },
      {
        ...may,
        subject: asUser("alice"),
        rule: "@alice:example.org",
        allow: ["shared-cost", "premium"],
        calls: 1,
        rungBy: ["+441632960001", "+441632960002"],
      },
      {
        ...may,
        subject: asUser("bob"),
        rule: "example.org",
        allow: ["shared-cost"],
        calls: 1,
        rungBy: ["+441632960002"],
      },
      {
        subject: asUser("intern"),
        rule: "@intern:example.org",
        mayCall: false,
        allow: [],
        callsAtOnce: 0,
        maxDurationMs: 0,
        calls: 0,
        rungBy: ["+441632960003"],
      },
    ];
  };
}
