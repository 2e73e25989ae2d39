// Which media server the homeserver names, and how a client is let into it.
import type { MatrixClient } from "matrix-js-sdk";
import {
  isLivekitTransportConfig,
  type LivekitTransportConfig,
  type Transport,
} from "matrix-js-sdk/lib/matrixrtc/index.js";
import type { MembershipFormat } from "./api.ts";

/** Of ours, as this call names it. */
export interface Membership {
  readonly userId: string;
  readonly deviceId: string;
  readonly memberId: string;
}

/** Good for an hour. */
export interface Admission {
  readonly url: string;
  readonly jwt: string;
}

let ownServer: LivekitTransportConfig | undefined;

/** As if the client's homeserver named this one's token service, and no other. */
export function meetAt(service: string): void {
  ownServer = { type: "livekit", livekit_service_url: service };
}

/** MSC4143. */
export async function transportsOf(client: MatrixClient): Promise<Transport[]> {
  return ownServer === undefined ? client._unstable_getRTCTransports() : [ownServer];
}

export async function mediaServerOf(client: MatrixClient): Promise<LivekitTransportConfig> {
  const found = (await transportsOf(client)).find(isLivekitTransportConfig);
  if (found === undefined) throw new Error("the homeserver names no LiveKit server");
  return found;
}

/** @throws with the status and the body of an answer that is not 2xx */
export async function admission(
  client: MatrixClient,
  { livekit_service_url: service }: LivekitTransportConfig,
  format: MembershipFormat,
  roomId: string,
  { userId, deviceId, memberId }: Membership,
): Promise<Admission> {
  const openid_token = await client.getOpenIdToken();
  const member = { id: memberId, claimed_user_id: userId, claimed_device_id: deviceId };
  const [path, body] =
    format === "state event"
      ? ["/sfu/get", { room: roomId, openid_token, device_id: deviceId }]
      : ["/get_token", { room_id: roomId, slot_id: "m.call#ROOM", openid_token, member }];
  const response = await fetch(`${service}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Admission;
}
