// The host of Element Call: opens it in a frame as Element does, tells it what happens in the room, and closes it when it asks.
import { ClientEvent } from "matrix-js-sdk/lib/client.js";
import { type MatrixEvent, MatrixEventEvent } from "matrix-js-sdk/lib/models/event.js";
import { RoomStateEvent } from "matrix-js-sdk/lib/models/room-state.js";
import type { ReceivedToDeviceMessage } from "matrix-js-sdk/lib/sync-accumulator.js";
import { ClientWidgetApi, type IWidgetApiRequest, Widget } from "matrix-widget-api";
import { Ear } from "../ear.ts";
import { theClient } from "../session.ts";
import type { ElementCall, ElementCallMode } from "./api.ts";
import { ElementCallDriver, shownTo } from "./driver.ts";

type Intent = "start_call_dm_voice" | "join_existing_dm_voice";

interface OpenFrame {
  readonly frame: HTMLIFrameElement;
  readonly ear: Ear;
  readonly close: () => void;
}

let open: OpenFrame | undefined;

function widgetUrl(roomId: string, intent: Intent, mode: ElementCallMode): string {
  const client = theClient();
  const parameters = new URLSearchParams({
    widgetId: "element-call",
    parentUrl: location.href,
    userId: client.getSafeUserId(),
    deviceId: client.getDeviceId() ?? "",
    roomId,
    baseUrl: client.baseUrl,
    lang: "en",
    intent,
    perParticipantE2EE: String(client.getRoom(roomId)?.hasEncryptionStateEvent() === true),
    // These filters would take a pure tone for noise.
    noiseSuppression: "false",
    echoCancellation: "false",
  });
  return new URL(`element-call/${mode}/index.html#?${parameters.toString()}`, location.href).href;
}

/** Tells the widget what Element tells it, until what this gives is called. */
function tell(api: ClientWidgetApi, roomId: string): () => void {
  const client = theClient();
  const onEvent = (event: MatrixEvent): void => {
    if (event.getRoomId() !== roomId || event.isBeingDecrypted() || event.shouldAttemptDecryption()) return;
    void api.feedEvent(shownTo(event));
  };
  const onState = (event: MatrixEvent): void => {
    if (event.getRoomId() === roomId) void api.feedStateUpdate(shownTo(event));
  };
  const onToDevice = ({ message, encryptionInfo }: ReceivedToDeviceMessage): void =>
    void api.feedToDevice(message, encryptionInfo !== null);
  client.on(ClientEvent.Event, onEvent);
  client.on(MatrixEventEvent.Decrypted, onEvent);
  client.on(RoomStateEvent.Events, onState);
  client.on(ClientEvent.ReceivedToDeviceMessage, onToDevice);
  return () => {
    client.off(ClientEvent.Event, onEvent);
    client.off(MatrixEventEvent.Decrypted, onEvent);
    client.off(RoomStateEvent.Events, onState);
    client.off(ClientEvent.ReceivedToDeviceMessage, onToDevice);
  };
}

function openFrame(roomId: string, intent: Intent, mode: ElementCallMode): void {
  open?.close();
  const url = widgetUrl(roomId, intent, mode);
  const creatorUserId = theClient().getSafeUserId();
  const widget = new Widget({ id: "element-call", creatorUserId, type: "m.call", url, waitForIframeLoad: false });
  const frame = document.createElement("iframe");
  frame.allow = "microphone; camera; autoplay";
  // In a lower one it hides its buttons.
  frame.width = "1200";
  frame.height = "680";
  document.body.append(frame);
  const api = new ClientWidgetApi(widget, frame, new ElementCallDriver(theClient(), roomId));
  api.setViewedRoomId(roomId);
  const stop = tell(api, roomId);
  const ear = new Ear();
  const close = (): void => {
    stop();
    api.stop();
    ear.detach();
    frame.remove();
    open = undefined;
  };
  const acknowledged = ["io.element.join", "io.element.device_mute", "set_always_on_screen", "im.vector.hangup"];
  for (const action of [...acknowledged, "io.element.close"]) {
    api.on(`action:${action}`, (event: CustomEvent<IWidgetApiRequest>) => {
      event.preventDefault();
      api.transport.reply(event.detail, {});
      if (action === "io.element.close") close();
    });
  }
  frame.src = url;
  open = { frame, ear, close };
}

/** Of whom Element Call plays: one at most, in these tests. */
function played(frame: HTMLIFrameElement): MediaStream | undefined {
  const elements = [...(frame.contentDocument?.querySelectorAll("audio") ?? [])];
  return elements.map(({ srcObject }) => srcObject).find((each) => each !== null) as MediaStream | undefined;
}

export const elementCall: ElementCall = {
  call: (roomId, mode) => openFrame(roomId, "start_call_dm_voice", mode),
  answer: ({ roomId }, mode) => openFrame(roomId, "join_existing_dm_voice", mode),
  isOpen: () => open !== undefined,
  close: () => open?.close(),
  heard(frequencies, durationMs) {
    if (open === undefined) return undefined;
    const stream = played(open.frame);
    if (stream === undefined) open.ear.detach();
    else open.ear.attach(stream, () => undefined);
    return open.ear.heard(frequencies, durationMs);
  },
};
