// A person's side of a MatrixRTC call without a browser: rings, is at the media server, says a tone and listens. What goes to
// the media server and comes from it, the bridge's own code reads and writes: what it is worth is shown with real clients.
import { randomBytes, randomInt } from "node:crypto";
import { patienceMs } from "../loopback/patience.ts";
import { OpusEncoder } from "../../src/media/embedded/codec/opus-encoder.ts";
import type { AudioDecoder } from "../../src/media/embedded/codec/audio-codec.ts";
import { codecOf } from "../../src/media/embedded/codec/codecs.ts";
import { heardAt, opusFormat } from "../../src/media/embedded/participant/track-formats.ts";
import { Visit } from "../../src/media/embedded/participant/visit.ts";
import type { Heard } from "../audio/goertzel.ts";
import { everyFrame } from "../audio/pacer.ts";
import { Reception } from "../audio/reception.ts";
import { decodeRtp, encodeRtp } from "../audio/rtp.ts";
import { continuousTone } from "../audio/tone.ts";
import { type ClientApi, isJson, type Json, path, text } from "./client-api.ts";

export interface RtcCallOptions {
  readonly roomId: string;
  /** Where tokens for the media server are to be had. */
  readonly livekitServiceUrl: string;
  /** What this client says, in Hz. */
  readonly toneHz: number;
  readonly bindHost: string;
  /** False: joins a call that rings here; true by default. */
  readonly rings?: boolean;
}

export interface RtcCall {
  /** Everybody else's sound that was decoded so far, in ms. */
  readonly heardMs: number;
  heard(lastMs: number, frequencies: readonly number[]): Heard;
  /** Looks after each packet until it holds; rejects after `timeoutMs`. */
  until(holds: () => boolean, timeoutMs?: number): Promise<void>;
  leave(): Promise<void>;
}

const memberType = "org.matrix.msc3401.call.member";
const ringType = "org.matrix.msc4075.rtc.notification";
const ringsForMs = 60_000;
const rate = 8_000;
/** 20 ms, and as Opus counts them, whatever its rate (RFC 7587 s4.1). */
const [frameSamples, frameTicks] = [rate / 50, 960];

/** Joins the room's call, and rings the others unless it is an answer. Throws ClientApiError, or where there is no way to the media server. */
export async function placeRtcCall(api: ClientApi, options: RtcCallOptions): Promise<RtcCall> {
  const { roomId, livekitServiceUrl, rings = true } = options;
  const reception = new Reception();
  const decoders = new Map<number, AudioDecoder>();
  const decoderAt = (payloadType: number): AudioDecoder | undefined => {
    const decoder = decoders.get(payloadType) ?? codecOf(heardAt(payloadType)?.name ?? "")?.decoder(rate);
    if (decoder !== undefined) decoders.set(payloadType, decoder);
    return decoder;
  };
  const waiting = new Set<() => void>();
  const stay = await enter(api, options, (bytes) => {
    const packet = decodeRtp(bytes);
    const samples = packet && decoderAt(packet.payloadType)?.decode(packet.payload);
    if (packet === undefined || samples === undefined) return;
    reception.count(packet, performance.now());
    reception.keep(samples);
    for (const look of waiting) look();
  });

  const stateKey = `_${api.userId}_${api.deviceId}_m.call`;
  const say = async (content: Json): Promise<string> => {
    const sent = await api.ask("PUT", path`/rooms/${roomId}/state/${memberType}/${stateKey}`, content);
    return text(isJson(sent) ? sent["event_id"] : undefined) ?? "";
  };
  const membership = await say({
    application: "m.call",
    call_id: "",
    scope: "m.room",
    device_id: api.deviceId,
    expires: 4 * 3_600_000,
    "m.call.intent": "audio",
    focus_active: { type: "livekit", focus_selection: "multi_sfu" },
    foci_preferred: [{ type: "livekit", livekit_alias: roomId, livekit_service_url: livekitServiceUrl }],
  });
  if (rings) {
    await api.send(roomId, ringType, {
      "m.mentions": { user_ids: [], room: true },
      notification_type: "ring",
      "m.relates_to": { rel_type: "m.reference", event_id: membership },
      sender_ts: Date.now(),
      lifetime: ringsForMs,
      "m.call.intent": "audio",
    });
  }

  return {
    get heardMs() {
      return reception.heardMs;
    },
    heard: (lastMs, frequencies) => reception.heard(lastMs, frequencies),
    until: (holds, timeoutMs = patienceMs) =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          clearTimeout(timer);
          waiting.delete(look);
        };
        const look = (): void => {
          if (!holds()) return;
          end();
          resolve();
        };
        const timer = setTimeout(() => {
          end();
          reject(new Error(`not within ${timeoutMs} ms`));
        }, timeoutMs);
        waiting.add(look);
        look();
      }),
    async leave() {
      stay.end();
      for (const decoder of decoders.values()) decoder.release();
      await say({});
    },
  };
}

async function admit(api: ClientApi, { roomId, livekitServiceUrl }: RtcCallOptions) {
  const openid_token = await api.ask("POST", path`/user/${api.userId}/openid/request_token`, {});
  const response = await fetch(`${livekitServiceUrl}/sfu/get`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ room: roomId, openid_token, device_id: api.deviceId }),
  });
  const answer: unknown = await response.json();
  const { url, jwt } = isJson(answer) ? answer : {};
  const [where, token] = [text(url), text(jwt)];
  if (where === undefined || token === undefined) throw new Error(`no token: ${JSON.stringify(answer)}`);
  return { url: where, token };
}

interface Stay {
  end(): void;
}

/** At the media server, with a tone; whenever it is lost, it is entered again. Throws where it cannot be entered at first. */
async function enter(api: ClientApi, options: RtcCallOptions, hear: (packet: Buffer) => void): Promise<Stay> {
  const ice = { bindHost: options.bindHost, advertisedHosts: [], portMin: undefined, portMax: undefined };
  const ssrc = randomInt(1, 2 ** 32 - 1);
  const stream = { ssrc, cname: randomBytes(12).toString("base64url"), cid: `TR_${randomBytes(6).toString("hex")}` };
  let isOver = false;
  const visit = async (): Promise<Visit> => {
    const admission = await admit(api, options);
    return new Visit(
      admission,
      { ice, voice: { ...stream, codecs: () => [] }, isEncrypted: false },
      {
        speaks: () => undefined,
        untaken: () => undefined,
        up: () => undefined,
        over: () => void again(),
        attended: () => undefined,
        rtp: (_identity, packet) => hear(packet),
        rtcp: () => undefined,
      },
    );
  };
  const again = async (): Promise<void> => {
    if (isOver) return;
    current = await visit().catch(() => current);
    if (isOver) current.close();
  };
  let current = await visit();
  const stopSpeaking = speak((packet) => void current.send(packet), ssrc, options.toneHz);
  return {
    end() {
      isOver = true;
      stopSpeaking();
      current.close();
    },
  };
}

/** Until what it gives is called. */
function speak(send: (packet: Buffer) => void, ssrc: number, toneHz: number): () => void {
  const encoder = new OpusEncoder(rate, "");
  const tone = continuousTone(toneHz, rate);
  let sequence = randomInt(2 ** 15);
  let timestamp = randomInt(2 ** 31);
  const stop = everyFrame(() => {
    const payload = encoder.encode(tone.next(frameSamples), 0);
    const packet = { payloadType: opusFormat.payloadType, marker: false, sequence, timestamp, ssrc, payload };
    send(Buffer.from(encodeRtp(packet)));
    sequence = (sequence + 1) & 0xffff;
    timestamp = (timestamp + frameTicks) >>> 0;
  });
  return () => {
    stop();
    encoder.release();
  };
}
