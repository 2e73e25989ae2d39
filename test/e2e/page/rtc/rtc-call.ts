// One MatrixRTC call of the page: matrix-js-sdk says who is in it, livekit-client brings the sound.
import {
  ConnectionState,
  DisconnectReason,
  type Participant,
  RemoteTrack,
  Room as MediaRoom,
  RoomEvent as MediaEvent,
  Track,
} from "livekit-client";
import { type CallMembership, MatrixRTCSession, MatrixRTCSessionEvent } from "matrix-js-sdk/lib/matrixrtc/index.js";
import { RoomStateEvent } from "matrix-js-sdk/lib/models/room-state.js";
import { Ear } from "../ear.ts";
import { theClient } from "../session.ts";
import type { RtcJoinOptions, RtcMember, RtcReport } from "./api.ts";
import { encryptFrames } from "./frame-keys.ts";
import { type Admission, admission, mediaServerOf } from "./media-server.ts";
import { declinedBy } from "./rings.ts";

/** As Element Call without a service that keeps its delayed leave. */
const DELAYED_LEAVE = { delayedLeaveEventDelayMs: 18_000, delayedLeaveEventRestartMs: 4000 };
/** A microphone's filters would take a pure tone for noise. */
const MICROPHONE = { autoGainControl: false, echoCancellation: false, noiseSuppression: false };

const AGAIN_MS = 500;

const SLOT = { application: "m.call", id: "ROOM" };

/** Sticky memberships say nothing of when they expire. */
const asMember = (membership: CallMembership): RtcMember => ({
  userId: membership.userId,
  deviceId: membership.deviceId,
  format: membership.getAbsoluteExpiry() === undefined ? "sticky event" : "state event",
  identity: membership.rtcBackendIdentity,
});

export async function othersIn(roomId: string): Promise<RtcMember[]> {
  const client = theClient();
  const room = client.getRoom(roomId);
  if (room === null) throw new Error(`the client is not in ${roomId}`);
  const all = await MatrixRTCSession.sessionMembershipsForSlot(room, SLOT);
  return all.map(asMember).filter(({ userId }) => userId !== client.getSafeUserId());
}

export class RtcCall {
  readonly #session: MatrixRTCSession;
  readonly #media: MediaRoom;
  readonly #ear = new Ear();
  readonly #own: string;
  readonly #errors: string[] = [];
  #notificationId: string | undefined;
  #heardTrack: MediaStreamTrack | undefined;

  private constructor(session: MatrixRTCSession, media: MediaRoom, own: string) {
    this.#session = session;
    this.#media = media;
    this.#own = own;
    session.on(MatrixRTCSessionEvent.DidSendCallNotification, ({ event_id: id }) => {
      this.#notificationId = id;
    });
    session.on(MatrixRTCSessionEvent.MembershipsChanged, () => this.#listen());
    // As the client does with the session that it keeps for the room.
    theClient().on(RoomStateEvent.Events, this.#refresh);
    media.on(MediaEvent.TrackSubscribed, () => this.#listen());
    media.on(MediaEvent.TrackUnsubscribed, () => this.#listen());
    media.on(MediaEvent.EncryptionError, (error) => this.#errors.push(error.message));
  }

  static async join(roomId: string, { format, ringsForMs }: RtcJoinOptions): Promise<RtcCall> {
    const client = theClient();
    const room = client.getRoom(roomId);
    if (room === null) throw new Error("this client is not in the room");
    const isEncrypted = room.hasEncryptionStateEvent();
    const own = {
      userId: client.getSafeUserId(),
      deviceId: client.getDeviceId() ?? "",
      memberId: crypto.randomUUID(),
    };
    const server = await mediaServerOf(client);
    const admitted = () => admission(client, server, format, roomId, own);
    const first = await admitted();
    // One for each call: what the keys of the last one still wait for does not disturb this one.
    const session = MatrixRTCSession.sessionForSlot(client, room, SLOT);
    const media = new MediaRoom({
      audioCaptureDefaults: MICROPHONE,
      publishDefaults: { red: false },
      ...(isEncrypted && { e2ee: encryptFrames(session) }),
    });
    const call = new RtcCall(session, media, `${own.userId} ${own.deviceId}`);
    if (isEncrypted) await media.setE2EEEnabled(true);
    const transport = format === "state event" ? { livekit_alias: roomId, ...server } : server;
    session.joinRTCSession(own, [], transport, {
      ...DELAYED_LEAVE,
      callIntent: "audio",
      manageMediaKeys: isEncrypted,
      unstableSendStickyEvents: format === "sticky event",
      ...(ringsForMs !== undefined && { notificationType: "ring", notificationLifetimeMs: ringsForMs }),
    });
    await call.#enter(first);
    media.on(MediaEvent.Disconnected, (reason) => {
      if (reason !== DisconnectReason.CLIENT_INITIATED) void call.#enterAgain(admitted);
    });
    return call;
  }

  async #enter({ url, jwt }: Admission): Promise<void> {
    await this.#media.connect(url, jwt);
    await this.#media.localParticipant.setMicrophoneEnabled(true);
  }

  /** A media server that comes back knows no room until somebody has been admitted: livekit-client gives up then. */
  async #enterAgain(admitted: () => Promise<Admission>): Promise<void> {
    while (this.#session.isJoined()) {
      try {
        return await this.#enter(await admitted());
      } catch {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  /** The session is done with, too: one that has been left would go on telling others its keys. */
  async leave(): Promise<void> {
    await Promise.all([this.#session.leaveRoomSession(5000), this.#media.disconnect()]);
    this.#ear.detach();
    theClient().off(RoomStateEvent.Events, this.#refresh);
    await this.#session.stop();
  }

  async mute(muted: boolean): Promise<void> {
    await this.#media.localParticipant.setMicrophoneEnabled(!muted);
  }

  heard: Ear["heard"] = (frequencies, durationMs) => this.#ear.heard(frequencies, durationMs);

  async report(): Promise<RtcReport> {
    const { room, slotDescription } = this.#session;
    return {
      roomId: room.roomId,
      joined: this.#session.isJoined(),
      others: this.#others(await MatrixRTCSession.sessionMembershipsForSlot(room, slotDescription)),
      sfu: this.#media.state,
      heard: this.#audible().map(({ identity }) => identity),
      heardCodecs: await this.#codecs(),
      heardEncrypted: this.#audible().every(({ isEncrypted }) => isEncrypted),
      notificationId: this.#notificationId,
      declinedBy: declinedBy(this.#notificationId),
      encryptionErrors: [...this.#errors],
    };
  }

  readonly #refresh = (): void => void this.#session.ensureRecalculateSessionMembers();

  #others(memberships: readonly CallMembership[]): RtcMember[] {
    return memberships.filter(({ userId, deviceId }) => `${userId} ${deviceId}` !== this.#own).map(asMember);
  }

  async #codecs(): Promise<string[]> {
    const codecs = await Promise.all(
      this.#audible().map(async (one) => {
        const track = one.getTrackPublication(Track.Source.Microphone)?.track;
        const stats = track instanceof RemoteTrack ? await track.getRTCStatsReport() : undefined;
        const all = [...(stats?.values() ?? [])] as { id: string; type: string; codecId?: string; mimeType?: string }[];
        const { codecId } = all.find(({ type }) => type === "inbound-rtp") ?? {};
        return all.find(({ id }) => id === codecId)?.mimeType ?? "none";
      }),
    );
    return codecs;
  }

  /** Members of the call whose sound comes. Who is at the media server only is not heard. */
  #audible(): Participant[] {
    if (this.#media.state !== ConnectionState.Connected) return [];
    return this.#others(this.#session.memberships)
      .map(({ identity }) => this.#media.remoteParticipants.get(identity))
      .filter((one) => one !== undefined)
      .filter((one) => one.getTrackPublication(Track.Source.Microphone)?.track !== undefined);
  }

  /** To the first of them: calls of these tests have two ends. */
  #listen(): void {
    const track = this.#audible()[0]?.getTrackPublication(Track.Source.Microphone)?.track?.mediaStreamTrack;
    if (track === this.#heardTrack) return;
    this.#heardTrack = track;
    if (track === undefined) this.#ear.detach();
    else this.#ear.attach(new MediaStream([track]), () => undefined);
  }
}
