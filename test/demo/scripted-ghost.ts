// The far end of the headless client's tests: a tiny application service whose one ghost answers when it is told to,
// with node-datachannel under it, and gives every packet back.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import nodeDataChannel, { type PeerConnection } from "node-datachannel";
import { listen } from "../../dev/loopback/listen.ts";
import { decodeRtp, encodeRtp, isRtcp } from "../../dev/audio/rtp.ts";
import { keypad, type Keypress } from "../../dev/audio/telephone-event.ts";
import { startHomeserver, type ClientEvent } from "../../dev/homeserver/homeserver.ts";

const GHOST = "@_sip_102:localhost";
const PARTY = "ghost";
const RINGING_ID = "zzz-ringing";

const body = async (request: IncomingMessage): Promise<unknown> =>
  JSON.parse(Buffer.concat((await request.toArray()) as Buffer[]).toString() || "{}");

export async function scriptedGhost() {
  const server = createServer((request, response) => void serve(request, response));
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://ghost");
    await body(request);
    response.setHeader("content-type", "application/json");
    if (pathname.includes("/thirdparty/protocol/")) {
      const instances = [{ network_id: "sip", desc: "SIP", fields: {} }];
      response.end(
        JSON.stringify({ user_fields: ["m.id.phone"], location_fields: [], icon: "", field_types: {}, instances }),
      );
    } else if (pathname.includes("/thirdparty/user/")) {
      const number = searchParams.get("m.id.phone");
      const found =
        number === "102" ? [{ userid: GHOST, protocol: "m.protocol.pstn", fields: { "m.id.phone": number } }] : [];
      response.end(JSON.stringify(found));
    } else response.end("{}");
  };
  const port = await listen(server);
  const url = `http://127.0.0.1:${port}`;
  const homeserver = await startHomeserver({
    users: [{ localpart: "alice", password: "secret" }],
    registrations: [
      {
        id: "sip",
        url,
        as_token: "as",
        hs_token: "hs",
        sender_localpart: "_sip_bot",
        namespaces: { users: [{ exclusive: true, regex: "^@_sip_.*:localhost$" }] },
        protocols: ["m.protocol.pstn"],
      },
    ],
  });

  const as = async (method: string, path: string, content: unknown = {}): Promise<unknown> => {
    const response = await fetch(`${homeserver.url}/_matrix/client/v3${path}?user_id=${encodeURIComponent(GHOST)}`, {
      method,
      headers: { authorization: "Bearer as" },
      body: JSON.stringify(content),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${answer}`);
    return JSON.parse(answer);
  };
  await fetch(`${homeserver.url}/_matrix/client/v3/register`, {
    method: "POST",
    headers: { authorization: "Bearer as" },
    body: JSON.stringify({ type: "m.login.application_service", username: "_sip_102", inhibit_login: true }),
  });

  const invite = (): Promise<ClientEvent> => homeserver.eventWhere((event) => event.type === "m.call.invite");
  let transaction = 0;
  const send = async (type: string, content: Record<string, unknown>): Promise<void> => {
    const { room_id, content: asked } = await invite();
    transaction += 1;
    const whole = { version: "1", call_id: asked["call_id"], party_id: PARTY, ...content };
    await as("PUT", `/rooms/${encodeURIComponent(room_id)}/send/${type}/${transaction}`, whole);
  };

  /** A room with the person, who is invited. */
  const makeRoom = async (person: string): Promise<string> => {
    const made = await as("POST", "/createRoom", { invite: [person], is_direct: true, preset: "trusted_private_chat" });
    return (made as { room_id: string }).room_id;
  };
  const say = async (roomId: string, type: string, content: Record<string, unknown>): Promise<void> => {
    transaction += 1;
    const whole = { version: "1", call_id: RINGING_ID, party_id: PARTY, ...content };
    await as("PUT", `/rooms/${encodeURIComponent(roomId)}/send/${type}/${transaction}`, whole);
  };

  const connections: PeerConnection[] = [];
  const presses: Keypress[] = [];
  const payloadTypes = new Set<number>();
  let localSdp = "";
  return {
    homeserver,
    invite,
    send,
    makeRoom,
    /** What the ghost has to say about the call that it makes. */
    say,
    /** Calls; nobody stands behind the offer. */
    ring: (roomId: string, more: Record<string, unknown> = {}) =>
      say(roomId, "m.call.invite", { lifetime: 90_000, offer: { type: "offer", sdp: "v=0\r\n" }, ...more }),
    presses,
    payloadTypes,
    async join() {
      await as("POST", `/rooms/${encodeURIComponent((await invite()).room_id)}/join`);
    },
    /** Our description with another direction, as the bridge would send it in a re-offer. */
    description: (direction: string) => localSdp.replace(/a=(sendrecv|sendonly|recvonly|inactive)/, `a=${direction}`),
    /** Answers with PCMU and telephone-event, and echoes. */
    async answer() {
      const { content } = await invite();
      const connection = new nodeDataChannel.PeerConnection("ghost", { iceServers: [], disableAutoNegotiation: true });
      connections.push(connection);
      const gathered = new Promise<void>((resolve) => {
        connection.onGatheringStateChange((state) => {
          if (state === "complete") resolve();
        });
      });
      const audio = new nodeDataChannel.Audio("0", "SendRecv");
      audio.addAudioCodec(0, "PCMU");
      audio.addSSRC(4_711, "ghost", "stream", "track");
      connection.setRemoteDescription((content["offer"] as { sdp: string }).sdp, "offer");
      const track = connection.addTrack(audio);
      const keys = keypad(8_000);
      track.onMessage((bytes) => {
        const packet = isRtcp(bytes) ? undefined : decodeRtp(bytes);
        if (packet === undefined) return;
        payloadTypes.add(packet.payloadType);
        if (packet.payloadType === 126) presses.push(...keys.receive(packet.timestamp, packet.payload));
        else if (track.isOpen()) track.sendMessageBinary(Buffer.from(encodeRtp({ ...packet, ssrc: 4_711 })));
      });
      connection.setLocalDescription("answer");
      await gathered;
      const candidates = await homeserver.eventWhere((event) => event.type === "m.call.candidates");
      for (const { candidate } of candidates.content["candidates"] as { candidate: string }[]) {
        if (candidate !== "") connection.addRemoteCandidate(candidate, "0");
      }
      localSdp = (connection.localDescription()?.sdp ?? "")
        .replace(/(m=audio \d+ \S+) .*/, "$1 0 126")
        .replace("a=rtpmap:0 PCMU/8000/1", "a=rtpmap:0 PCMU/8000\r\na=rtpmap:126 telephone-event/8000");
      await send("m.call.answer", { answer: { type: "answer", sdp: localSdp } });
    },
    async stop() {
      for (const connection of connections) connection.close();
      await homeserver.stop();
      server.close();
      server.closeAllConnections();
    },
  };
}
