// A bare client of the client-server API for tests: one request, its status and body.

export type ClientAnswer = { readonly status: number; readonly body: Record<string, unknown> };

export type Client = {
  /** `path` is what follows `/_matrix/client`, encoded. */
  (method: string, path: string, body?: unknown): Promise<ClientAnswer>;
};

export function clientOf(url: string, accessToken?: string): Client {
  return async (method, path, body) => {
    const response = await fetch(`${url}/_matrix/client${path}`, {
      method,
      headers: {
        ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
}

/** `?user_id=` of a masquerading application service. */
export const actingAs = (userId: string) => `user_id=${encodeURIComponent(userId)}`;
