// What is wrong on the way from the homeserver to the bridge, by what the homeserver says of its ping.
import { expect, test } from "vitest";
import { pingAnswer, pingFailure } from "../../../src/matrix/client/ping.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";

test.each([
  ["another hs_token", "M_BAD_STATUS", true, "token"],
  ["another server at the registration's url", "M_BAD_STATUS", false, "elsewhere"],
  ["a url at which nothing listens", "M_CONNECTION_FAILED", false, "unreachable"],
  ["a url that never answers", "M_CONNECTION_TIMEOUT", false, "unreachable"],
  ["a registration without url", "M_URL_NOT_SET", false, "no-url"],
  ["another as_token", "M_UNKNOWN_TOKEN", false, "unknown"],
  ["a homeserver that is overloaded", "HTTP_503", false, "unanswered"],
])("%s is told from the rest", (_, code, hasCome, why) => {
  const outcome = pingFailure(new HomeserverError(code, "as it said", false), hasCome);
  expect(outcome).toEqual({ kind: "failed", why, message: `${code}: as it said` });
});

test.each(["M_UNRECOGNIZED", "M_NOT_FOUND", "HTTP_404", "HTTP_405"])("%s: the homeserver knows no pings", (code) => {
  expect(pingFailure(new HomeserverError(code, "", false), false)).toEqual({ kind: "unsupported" });
});

test("a ping that another server answered is no proof that the bridge can be reached", () => {
  expect(pingAnswer({ duration_ms: 3 }, true)).toEqual({ kind: "answered", durationMs: 3 });
  expect(pingAnswer({ duration_ms: 3 }, false)).toMatchObject({ why: "elsewhere" });
  expect(pingAnswer(undefined, false)).toMatchObject({ why: "unanswered" });
});
