// What Element Call may do in the person's name, carried out by the page's client (Matrix widget API).
import { Direction, type MatrixClient, type MatrixEvent } from "matrix-js-sdk";
import type { StateEvents, TimelineEvents } from "matrix-js-sdk/lib/@types/event.js";
import type { ToDevicePayload } from "matrix-js-sdk/lib/models/ToDeviceMessage.js";
import { transportsOf } from "../rtc/media-server.ts";
import { type Capability, type IRoomEvent, OpenIDRequestState, WidgetDriver } from "matrix-widget-api";

/** A message to devices, as the widget API gives it: content by device by user. */
type Messages = Readonly<Record<string, Readonly<Record<string, object>>>>;

export const shownTo = (event: MatrixEvent): IRoomEvent => event.getEffectiveEvent() as IRoomEvent;

export class ElementCallDriver extends WidgetDriver {
  readonly #client: MatrixClient;
  readonly #roomId: string;

  constructor(client: MatrixClient, roomId: string) {
    super();
    this.#client = client;
    this.#roomId = roomId;
  }

  override async validateCapabilities(requested: Set<Capability>): Promise<Set<Capability>> {
    return requested;
  }

  override async sendEvent(type: string, content: unknown, stateKey?: string | null) {
    const roomId = this.#roomId;
    const { redacts } = content as { redacts?: string };
    const { event_id: eventId } = await (typeof stateKey === "string"
      ? this.#client.sendStateEvent(roomId, type as keyof StateEvents, content as never, stateKey)
      : type === "m.room.redaction" && redacts !== undefined
        ? this.#client.redactEvent(roomId, redacts)
        : this.#client.sendEvent(roomId, type as keyof TimelineEvents, content as never));
    return { roomId, eventId };
  }

  override async sendStickyEvent(stickyMs: number, type: string, content: unknown) {
    const roomId = this.#roomId;
    const { event_id: eventId } = await this.#client._unstable_sendStickyEvent(
      roomId,
      stickyMs,
      null,
      type as keyof TimelineEvents,
      content as never,
    );
    return { roomId, eventId };
  }

  override async sendDelayedEvent(delay: number, type: string, content: unknown, stateKey?: string | null) {
    const roomId = this.#roomId;
    const { delay_id: delayId } = await (typeof stateKey === "string"
      ? this.#client._unstable_sendDelayedStateEvent(
          roomId,
          { delay },
          type as keyof StateEvents,
          content as never,
          stateKey,
        )
      : this.#client._unstable_sendDelayedEvent(
          roomId,
          { delay },
          null,
          type as keyof TimelineEvents,
          content as never,
        ));
    return { roomId, delayId };
  }

  override async sendDelayedStickyEvent(delay: number, stickyMs: number, type: string, content: unknown) {
    const roomId = this.#roomId;
    const { delay_id: delayId } = await this.#client._unstable_sendStickyDelayedEvent(
      roomId,
      stickyMs,
      { delay },
      null,
      type as keyof TimelineEvents,
      content as never,
    );
    return { roomId, delayId };
  }

  override async cancelScheduledDelayedEvent(delayId: string): Promise<void> {
    await this.#client._unstable_cancelScheduledDelayedEvent(delayId);
  }

  override async restartScheduledDelayedEvent(delayId: string): Promise<void> {
    await this.#client._unstable_restartScheduledDelayedEvent(delayId);
  }

  override async sendScheduledDelayedEvent(delayId: string): Promise<void> {
    await this.#client._unstable_sendScheduledDelayedEvent(delayId);
  }

  override async sendToDevice(eventType: string, encrypted: boolean, messages: Messages): Promise<void> {
    const all = Object.entries(messages).flatMap(([userId, byDevice]) =>
      Object.entries(byDevice).map(([deviceId, payload]) => ({
        userId,
        deviceId,
        payload: payload as ToDevicePayload,
      })),
    );
    if (!encrypted) return this.#client.queueToDevice({ eventType, batch: all });
    for (const { userId, deviceId, payload } of all)
      await this.#client.encryptAndSendToDevice(eventType, [{ userId, deviceId }], payload);
  }

  override async readRoomTimeline(
    _roomId: string,
    type: string,
    _msgtype: string | undefined,
    stateKey: string | undefined,
    limit: number,
  ): Promise<IRoomEvent[]> {
    const found = (this.#room?.getLiveTimeline().getEvents() ?? []).filter(
      (event) => event.getType() === type && (stateKey === undefined || event.getStateKey() === stateKey),
    );
    return (limit > 0 ? found.slice(-limit) : found).toReversed().map(shownTo);
  }

  override async readRoomState(_roomId: string, type: string, stateKey: string | undefined): Promise<IRoomEvent[]> {
    const state = this.#room?.getLiveTimeline().getState(Direction.Forward);
    if (stateKey === undefined) return (state?.getStateEvents(type) ?? []).map(shownTo);
    const found = state?.getStateEvents(type, stateKey) ?? null;
    return found === null ? [] : [shownTo(found)];
  }

  override async readStickyEvents(): Promise<IRoomEvent[]> {
    return [...(this.#room?._unstable_getStickyEvents() ?? [])].map(shownTo);
  }

  override async readEventRelations(
    eventId: string,
    _roomId?: string,
    relationType?: string,
    type?: string,
    from?: string,
    to?: string,
    limit?: number,
    direction?: "f" | "b",
  ) {
    const { events, nextBatch, prevBatch } = await this.#client.relations(
      this.#roomId,
      eventId,
      relationType ?? null,
      type ?? null,
      {
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
        ...(limit !== undefined && { limit }),
        ...(direction !== undefined && { dir: direction as Direction }),
      },
    );
    return {
      chunk: events.map(shownTo),
      ...(typeof nextBatch === "string" && { nextBatch }),
      ...(typeof prevBatch === "string" && { prevBatch }),
    };
  }

  override askOpenID(observer: Parameters<WidgetDriver["askOpenID"]>[0]): void {
    void this.#client.getOpenIdToken().then((token) => observer.update({ state: OpenIDRequestState.Allowed, token }));
  }

  /** MSC4515: a widget cannot ask the homeserver. */
  override async getRtcTransports() {
    return { rtc_transports: await transportsOf(this.#client) };
  }

  override getKnownRooms(): string[] {
    return [this.#roomId];
  }

  get #room() {
    return this.#client.getRoom(this.#roomId);
  }
}
