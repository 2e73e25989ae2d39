// A Matrix calling client without a browser: logs in, looks numbers up, makes the direct room and calls, in the order
// and with the haste of Element (the invite does not wait for the ghost); joins rooms that it is invited to, and rings
// there. For the demo and the scenarios.
import { patienceMs } from "../loopback/patience.ts";
import { Call } from "./call.ts";
import type { CallFact, HeadlessCall } from "./call-view.ts";
import { ClientApiError, isJson, logIn, path, text } from "./client-api.ts";
import { iceGate } from "./ice-gate.ts";
import { startSync, type RoomEvent } from "./sync-loop.ts";

export type { HeadlessCall } from "./call-view.ts";

export interface HeadlessCallerOptions {
  readonly homeserverUrl: string;
  readonly user: string;
  readonly password: string;
  /** What this client says, in Hz; 1,000 by default. */
  readonly toneHz?: number;
  /** Of the invite; 60 s by default, as Element has it. */
  readonly lifetimeMs?: number;
  /** Binds ICE to one address. */
  readonly bindHost?: string;
  /** Whether to accept invitations to rooms, as a person would who wants to be called; true by default. */
  readonly joins?: boolean;
  /** Every fact of every call, as it happens. */
  readonly log?: (fact: CallFact) => void;
}

export interface HeadlessCaller {
  readonly userId: string;
  readonly deviceId: string;
  /** PSTN protocols that the homeserver lists, the stable one first; without any there is no dial pad. */
  readonly protocols: readonly string[];
  /** The number exactly as typed; undefined where nobody has it. Throws ClientApiError. */
  lookup(number: string): Promise<string | undefined>;
  /** Looks up, finds or makes the direct room, and sends the invite. Throws NoSuchNumber, ClientApiError. */
  call(number: string): Promise<HeadlessCall>;
  /**
   * The next call that rings and was not given out before. Rejects after `timeoutMs`.
   * One that was over before it could ring, answered on another device for one, is not among them.
   */
  incoming(timeoutMs?: number): Promise<HeadlessCall>;
  /** All of both directions, in order. */
  readonly calls: readonly HeadlessCall[];
  /** The room's id. Throws ClientApiError. */
  join(roomId: string): Promise<void>;
  /** A text in a room. Throws ClientApiError. */
  write(roomId: string, body: string): Promise<void>;
  /** Hangs up what is left and stops listening. */
  stop(): Promise<void>;
}

export class NoSuchNumber extends Error {
  override readonly name = "NoSuchNumber";
  readonly code = "no_such_number";
}

const RING_GRACE_MS = 3_000;
const PROTOCOLS = ["m.protocol.pstn", "im.vector.protocol.pstn"];

/** Resolves after login and the first /sync. Throws ClientApiError. */
export async function createHeadlessCaller(options: HeadlessCallerOptions): Promise<HeadlessCaller> {
  const { homeserverUrl, user, password, toneHz = 1_000, lifetimeMs = 60_000, bindHost, joins = true, log } = options;
  const api = await logIn({ homeserverUrl, user, password, deviceName: "headless caller" });
  const calls: Call[] = [];
  // Events of rooms in which an invite is about to be sent: the ghost may be faster than our own request.
  const early: RoomEvent[] = [];
  let placing = 0;
  const rung = new Set<Call>();
  let ringing: (() => void)[] = [];

  /** An invite that is not for us, or too old to ring (as Element: 3 s before its end), rings nowhere. */
  const ring = ({ roomId, sender, content, ageMs }: RoomEvent): void => {
    const [matrixCallId, lifetime] = [text(content["call_id"]), content["lifetime"]];
    if (sender === api.userId || matrixCallId === undefined || typeof lifetime !== "number") return;
    if (calls.some((call) => call.matrixCallId === matrixCallId && call.roomId === roomId)) return;
    const invitee = content["invitee"];
    if ((invitee !== undefined && invitee !== api.userId) || ageMs > lifetime - RING_GRACE_MS) return;
    const call = new Call({
      api,
      user: sender,
      roomId,
      placedAtMs: performance.now(),
      lifetimeMs: lifetime - ageMs,
      toneHz,
      gate: () => iceGate(bindHost),
      tell: (fact) => log?.(fact),
      came: { matrixCallId, party: text(content["party_id"]), content },
    });
    calls.push(call);
    call.tell({ kind: "rings" });
  };
  const join = async (roomId: string): Promise<void> => {
    await api.ask("POST", path`/join/${roomId}`, {});
  };
  const sync = await startSync(api, {
    heard: (event) => {
      if (event.type === "m.call.invite") ring(event);
      const here = calls.filter((call) => call.roomId === event.roomId);
      // What is said in the room is about the latest call, also when that has just ended.
      for (const call of event.type.startsWith("m.call.") ? here : here.slice(-1)) call.receive(event);
      if (placing > 0) early.push(event);
    },
    invited: (roomId) => {
      // A room that is not there any more, or a homeserver: the invitation stays what it is.
      if (joins) join(roomId).catch(() => undefined);
    },
    settled: () => {
      for (const look of ringing) look();
    },
  });
  const listed = await api.ask("GET", "/thirdparty/protocols");
  const protocols = PROTOCOLS.filter((protocol) => isJson(listed) && isJson(listed[protocol]));

  const lookup = async (number: string): Promise<string | undefined> => {
    const where = path`/thirdparty/user/${protocols[0] ?? "m.protocol.pstn"}`;
    const found = await api.ask("GET", `${where}?${new URLSearchParams({ "m.id.phone": number }).toString()}`);
    const [first] = Array.isArray(found) ? (found as unknown[]) : [];
    return text(isJson(first) ? first["userid"] : undefined);
  };

  /** As Element's dial pad does it. */
  const ensureDirectRoom = async (ghost: string): Promise<{ roomId: string; made: boolean }> => {
    const known = sync.directRoom(ghost);
    if (known !== undefined) return { roomId: known, made: false };
    await api.ask("POST", "/keys/query", { device_keys: { [ghost]: [] } });
    const room = await api.ask("POST", "/createRoom", {
      preset: "trusted_private_chat",
      visibility: "private",
      invite: [ghost],
      is_direct: true,
      initial_state: [
        { type: "m.room.guest_access", state_key: "", content: { guest_access: "can_join" } },
        { type: "m.room.history_visibility", content: { history_visibility: "invited" } },
      ],
    });
    const roomId = text(isJson(room) ? room["room_id"] : undefined);
    if (roomId === undefined) throw new ClientApiError("UNEXPECTED", 200, "createRoom without room_id");
    const where = path`/user/${api.userId}/account_data/m.direct`;
    await api.ask("PUT", where, sync.madeDirect(ghost, roomId));
    return { roomId, made: true };
  };

  return {
    userId: api.userId,
    deviceId: api.deviceId,
    protocols,
    lookup,
    async call(number) {
      const placedAtMs = performance.now();
      const ghost = await lookup(number);
      if (ghost === undefined) throw new NoSuchNumber(`nobody has the number ${number}`);
      placing += 1;
      try {
        const { roomId, made } = await ensureDirectRoom(ghost);
        const call = new Call({
          api,
          user: ghost,
          roomId,
          placedAtMs,
          lifetimeMs,
          toneHz,
          gate: () => iceGate(bindHost),
          tell: (fact) => log?.(fact),
        });
        call.tell({ kind: "found", user: ghost });
        call.tell({ kind: "room", roomId, made });
        calls.push(call);
        for (const event of early) if (event.roomId === roomId) call.receive(event);
        await call.invite();
        return call;
      } finally {
        placing -= 1;
        if (placing === 0) early.length = 0;
      }
    },
    calls,
    join,
    async write(roomId, body) {
      await api.send(roomId, "m.room.message", { msgtype: "m.text", body });
    },
    incoming: (timeoutMs = patienceMs) =>
      new Promise((resolve, reject) => {
        const finish = (settle: () => void): void => {
          ringing = ringing.filter((each) => each !== look);
          clearTimeout(timer);
          settle();
        };
        const look = (): void => {
          const call = calls.find((each) => each.state === "ringing" && !rung.has(each));
          if (call === undefined) return;
          rung.add(call);
          finish(() => resolve(call));
        };
        const timer = setTimeout(() => finish(() => reject(new Error(`no call in ${timeoutMs} ms`))), timeoutMs);
        ringing = [...ringing, look];
        look();
      }),
    async stop() {
      await Promise.all(calls.map((call) => call.hangup()));
      await sync.stop();
    },
  };
}
