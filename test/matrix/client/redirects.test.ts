// A reverse proxy that sends the bridge elsewhere: the token goes nowhere but to the configured address.
import { expect, it } from "vitest";
import { startEdge } from "../edge-rig.ts";
import { startScripted } from "../scripted-homeserver.ts";

async function redirected(status: number, location: (elsewhere: string) => string, base = "") {
  const elsewhere = await startScripted([{ status: 200, body: { user_id: "@_sip_bot:example.org" } }]);
  const headers = { location: location(elsewhere.url) };
  const proxy = await startScripted([{ status, body: "<html>Moved</html>", headers }]);
  const { edge } = await startEdge({ homeserverUrl: proxy.url + base });
  const failure = await edge.homeserver.whoAmI().then(String, (error: unknown) => error);
  return { failure, elsewhere };
}

const whoAmI = "/_matrix/client/v3/account/whoami";

it.each([301, 302, 303, 307, 308])("%i is not followed, and said with the address to configure", async (status) => {
  const { failure, elsewhere } = await redirected(status, (url) => `${url}${whoAmI}?user_id=%40_sip_bot%3Aexample.org`);
  expect(failure).toMatchObject({
    code: `HTTP_${status}`,
    message: `homeserver.url redirects to ${elsewhere.url}, and the bridge does not follow`,
    // Somebody may still mend it.
    transient: true,
  });
  expect(elsewhere.requests).toEqual([]);
});

it.each<[string, string, string, RegExp]>([
  ["to https", `https://matrix.example.org${whoAmI}`, "", /redirects to https:\/\/matrix\.example\.org, /],
  ["to another path", `https://example.org/hs${whoAmI}`, "", /redirects to https:\/\/example\.org\/hs, /],
  ["of an address with a path", `https://example.org/hs${whoAmI}`, "/hs", /redirects to https:\/\/example\.org\/hs, /],
  ["to a page", "https://sso.example.org/login?next=secret", "", /redirects to https:\/\/sso\.example\.org\/login, /],
  ["to the same server", "/login", "", /redirects to http:\/\/127\.0\.0\.1:\d+\/login, /],
  ["to nowhere", "http://[", "", /redirects, and/],
])("a redirect %s", async (_what, location, base, words) => {
  const { failure } = await redirected(301, () => location, base);
  expect(failure).toMatchObject({ message: expect.stringMatching(words) });
  expect(String(failure)).not.toContain("secret");
});
