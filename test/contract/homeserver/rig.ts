// What every part of the homeserver contract needs: people, ghosts, rooms as Element Web
// makes them, and numbers that no other test has used.
import { expect } from "vitest";
import type { AppserviceDouble, PushedEvent } from "../appservice-double.ts";
import type { Client, ClientAnswer } from "../client-request.ts";
import { actingAs, clientOf } from "../client-request.ts";

export type HomeserverUnderTest = {
  /** What differs between the two, and that a bridge has to live with, is in the tests. */
  readonly behavesLike: "Synapse" | "Dendrite";
  readonly url: string;
  readonly domain: string;
  /** Stops the homeserver and the application service. */
  stop(): Promise<void>;
  newUser(): Promise<{ userId: string; accessToken: string }>;
  /** Its registration is loaded in the homeserver. */
  readonly appservice: AppserviceDouble;
};

export class HomeserverRig {
  readonly server: HomeserverUnderTest;
  readonly appservice: AppserviceDouble;
  /** The application service's own requests. */
  readonly bridge: Client;

  constructor(server: HomeserverUnderTest) {
    this.server = server;
    this.appservice = server.appservice;
    this.bridge = clientOf(server.url, server.appservice.registration.as_token);
  }

  get isDendrite(): boolean {
    return this.server.behavesLike === "Dendrite";
  }

  async person(): Promise<{ userId: string; client: Client }> {
    const { userId, accessToken } = await this.server.newUser();
    return { userId, client: clientOf(this.server.url, accessToken) };
  }

  ghostId(rest: string): string {
    return `@_sip_${rest}:${this.server.domain}`;
  }

  register(localpart: string): Promise<ClientAnswer> {
    const body = { type: "m.login.application_service", username: localpart, inhibit_login: true };
    return this.bridge("POST", "/v3/register", body);
  }

  async newGhost(): Promise<string> {
    const rest = freshNumber();
    expect(await this.register(`_sip_${rest}`)).toMatchObject({ status: 200 });
    return this.ghostId(rest);
  }

  join(roomId: string, ghost: string): Promise<ClientAnswer> {
    return this.bridge("POST", `/v3/rooms/${encodeURIComponent(roomId)}/join?${actingAs(ghost)}`, {});
  }

  /** The first event of this room that the service was pushed and that fits. */
  pushed(roomId: string, fits: (event: PushedEvent) => boolean): Promise<PushedEvent> {
    return this.appservice.until(() => this.appservice.events(roomId).find(fits));
  }
}

let counter = 0;

/** Digits that no other test has used, in this run or on this server before. */
export const freshNumber = () => `${Date.now()}${(counter += 1)}`;

export async function directRoom(client: Client, invited: string): Promise<string> {
  const { status, body } = await client("POST", "/v3/createRoom", elementsRoom(invited));
  expect(status, JSON.stringify(body)).toBe(200);
  return String(body["room_id"]);
}

/** The room that Element Web makes for a call. */
export const elementsRoom = (invited: string) => ({
  preset: "trusted_private_chat",
  visibility: "private",
  invite: [invited],
  is_direct: true,
  initial_state: [
    { type: "m.room.guest_access", state_key: "", content: { guest_access: "can_join" } },
    { type: "m.room.history_visibility", content: { history_visibility: "invited" } },
  ],
});

/** Sends an event under a transaction id of its own; as a ghost where one is named. */
export function send(
  client: Client,
  roomId: string,
  type: string,
  content: object,
  ghost?: string,
): Promise<ClientAnswer> {
  const query = ghost === undefined ? "" : `?${actingAs(ghost)}`;
  const path = `/v3/rooms/${encodeURIComponent(roomId)}/send/${type}/${freshNumber()}${query}`;
  return client("PUT", path, content);
}

export const isOfType = (type: string) => (event: PushedEvent) => event.type === type;

export const isMembership = (userId: string, membership: string) => (event: PushedEvent) =>
  event.type === "m.room.member" && event.state_key === userId && event.content["membership"] === membership;
