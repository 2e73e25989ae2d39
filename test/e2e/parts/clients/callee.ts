// A person of the dev homeserver who is called, by hand: joins, sees what is sent to their rooms, and says what the test
// wants said. Their answer is a browser's, but nobody stands behind it: for calls whose sound is not in question.
import { type ClientApi, logIn } from "../../../../dev/headless/client-api.ts";
import type { ClientEvent, Homeserver } from "../../../../dev/homeserver/homeserver.ts";

/** One call that rings, or rang. */
interface Ringing {
  readonly roomId: string;
  readonly matrixCallId: string;
  readonly invite: ClientEvent;
  answer(): Promise<void>;
  decline(): Promise<void>;
  hangup(): Promise<void>;
  /** A new offer in the call: holds, resumes. */
  offer(direction: "sendonly" | "sendrecv"): Promise<void>;
  /** The first event of the bridge's in this call of that type, past or to come. */
  told(type: string, timeoutMs?: number): Promise<ClientEvent>;
  /** A line in the room that says so. */
  reads(body: string, timeoutMs?: number): Promise<void>;
}

export interface Callee {
  readonly userId: string;
  /** The call of that number, past or to come. */
  rung(number: string, timeoutMs?: number): Promise<Ringing>;
  /** How often that number rang so far. */
  ringsOf(number: string): number;
}

/** An answer, or an offer, as a browser writes it. */
const description = (version: number, setup: "active" | "actpass", direction: string): string =>
  [
    "v=0",
    `o=- 4611731400430051336 ${version} IN IP4 127.0.0.1`,
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    "a=msid-semantic: WMS stream",
    "m=audio 9 UDP/TLS/RTP/SAVPF 0 8 126",
    "c=IN IP4 0.0.0.0",
    "a=rtcp:9 IN IP4 0.0.0.0",
    "a=ice-ufrag:abcd",
    "a=ice-pwd:0123456789abcdef01234567",
    "a=ice-options:trickle",
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => "AB").join(":")}`,
    `a=setup:${setup}`,
    "a=mid:0",
    `a=${direction}`,
    "a=msid:stream track",
    "a=rtcp-mux",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:126 telephone-event/8000",
    "",
  ].join("\r\n");

/** Logs in and joins whatever they are invited to. */
export async function logInCallee(homeserver: Homeserver, user: string, password: string): Promise<Callee> {
  const api = await logIn({ homeserverUrl: homeserver.url, user, password, deviceName: "by hand" });
  const join = async ({ room_id: roomId }: ClientEvent): Promise<void> => {
    await api.ask("POST", `/rooms/${encodeURIComponent(roomId)}/join`, {});
  };
  homeserver.onEvent((event) => {
    if (event.type !== "m.room.member" || event.state_key !== api.userId) return;
    // A homeserver that stops meanwhile is the end of the test.
    if (event.content["membership"] === "invite") void join(event).catch(() => undefined);
  });
  const isFor = (event: ClientEvent, number: string): boolean =>
    event.type === "m.call.invite" &&
    event.content["invitee"] === api.userId &&
    event.sender.startsWith(`@_sip_${encodeURIComponent(number).toLowerCase()}%40`);
  return {
    userId: api.userId,
    ringsOf: (number) => homeserver.events().filter((event) => isFor(event, number)).length,
    async rung(number, timeoutMs) {
      const invite = await homeserver.eventWhere((event) => isFor(event, number), timeoutMs);
      return ringing(homeserver, api, invite);
    },
  };
}

function ringing(homeserver: Homeserver, api: ClientApi, invite: ClientEvent): Ringing {
  const { room_id: roomId, content } = invite;
  const matrixCallId = String(content["call_id"]);
  const common = { version: "1", call_id: matrixCallId, party_id: api.deviceId };
  const stream = { stream: { purpose: "m.usermedia", audio_muted: false, video_muted: true } };
  let version = 1;
  const say = async (type: string, rest: Readonly<Record<string, unknown>>): Promise<void> => {
    // The invitation to the room and the call are on their way at the same time.
    await homeserver.eventWhere(
      (event) =>
        event.room_id === roomId &&
        event.type === "m.room.member" &&
        event.state_key === api.userId &&
        event.content["membership"] === "join",
    );
    await api.send(roomId, type, { ...common, ...rest });
  };
  return {
    roomId,
    matrixCallId,
    invite,
    answer: () =>
      say("m.call.answer", {
        answer: { type: "answer", sdp: description(version, "active", "sendrecv") },
        sdp_stream_metadata: stream,
      }),
    decline: () => say("m.call.reject", {}),
    hangup: () => say("m.call.hangup", { reason: "user_hangup" }),
    offer: (direction) => {
      version += 1;
      const offer = { type: "offer", sdp: description(version, "actpass", direction) };
      return say("m.call.negotiate", { description: offer, lifetime: 60_000, sdp_stream_metadata: stream });
    },
    told: (type, timeoutMs) =>
      homeserver.eventWhere(
        (event) => event.type === type && event.sender !== api.userId && event.content["call_id"] === matrixCallId,
        timeoutMs,
      ),
    async reads(body, timeoutMs) {
      await homeserver.eventWhere(
        (event) => event.room_id === roomId && event.type === "m.room.message" && event.content["body"] === body,
        timeoutMs,
      );
    },
  };
}
