// Whose OpenID token it is, asked of the homeserver.
import { expect, it, onTestFinished } from "vitest";
import { startHomeserver } from "../../../dev/homeserver/homeserver.ts";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { domain, registrationFor, startEdge } from "../edge-rig.ts";
import { startScripted } from "../scripted-homeserver.ts";

it("is said of a token that a person's client got, and not of anything else", async () => {
  const port = await freePort();
  const server = await startHomeserver({ domain, registrations: [structuredClone(registrationFor(port)) as never] });
  onTestFinished(() => server.stop());
  const { userId, accessToken } = server.addUser("alice");
  const { edge } = await startEdge({ port, homeserverUrl: server.url });
  const asked = `${server.url}/_matrix/client/v3/user/${encodeURIComponent(userId)}/openid/request_token`;
  const headers = { authorization: `Bearer ${accessToken}` };
  const answer = await fetch(asked, { method: "POST", headers, body: "{}" });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  expect(await edge.homeserver.openIdUser(token)).toBe(userId);
  for (const wrong of ["x", "", `${token}x`, `x&access_token=${token}`, accessToken])
    expect(await edge.homeserver.openIdUser(wrong)).toBeUndefined();
});

it.each([
  ["a person of another homeserver", 200, { sub: "@alice:elsewhere.example" }],
  ["what is no user id", 200, { sub: "alice" }],
])("is nobody where the homeserver names %s", async (_, status, body) => {
  const { url } = await startScripted([{ status, body }]);
  const { edge } = await startEdge({ homeserverUrl: url });
  expect(await edge.homeserver.openIdUser("x")).toBeUndefined();
});

it.each([
  ["does not know the question", 404, { errcode: "M_UNRECOGNIZED", error: "Unrecognized request" }, /Unrecognized/],
  ["answers nonsense", 200, { user: "@alice:example.org" }, /makes no sense/],
])("is an error where the homeserver %s", async (_, status, body, words) => {
  const { url } = await startScripted([{ status, body }]);
  const { edge } = await startEdge({ homeserverUrl: url });
  await expect(edge.homeserver.openIdUser("x")).rejects.toThrow(words);
});
