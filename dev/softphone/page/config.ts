// What the page asks its own server for before anything else. The server writes it
// (serve.ts), the page reads it; the bundle itself knows no server and no password.

export type SoftphoneConfig = {
  /** Base URL of the homeserver's client-server API. */
  readonly homeserverUrl: string;
  /** Localpart or whole user id. */
  readonly user: string;
  readonly password: string;
  /** Numbers that a newcomer may try, and what answers there. */
  readonly numbers: readonly { readonly number: string; readonly description: string }[];
  /** The person's own number, where the page's server can have it called. */
  readonly ownNumber?: string;
};

export const configPath = "/config.json";
/** POST has the person's number called. */
export const ringPath = "/ring";
/** A header that no other site's page can send without being asked for it first. */
export const ringHeader = "x-softphone";

/** Throws where the page's own server does not answer. */
export async function fetchConfig(): Promise<SoftphoneConfig> {
  const response = await fetch(configPath, { cache: "no-store" });
  if (!response.ok) throw new Error(`${configPath} answered ${response.status}`);
  return (await response.json()) as SoftphoneConfig;
}

/** Throws, with words for a person, where the call cannot be made. */
export async function askForCall(): Promise<void> {
  const response = await fetch(ringPath, { method: "POST", headers: { [ringHeader]: "ring" } });
  if (!response.ok) throw new Error((await response.text()) || `${ringPath} answered ${response.status}`);
}
