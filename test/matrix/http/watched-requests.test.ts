import { expect, test } from "vitest";
import { requestName } from "../../../src/matrix/http/watched-requests.ts";

test.each([
  ["PUT", "/_matrix/client/v3/rooms/%21room%3Aexample.org/send/m.call.invite/txn1?user_id=%40a", "PUT rooms/send"],
  ["POST", "/_matrix/client/v3/createRoom?user_id=%40_sip_1%3Aexample.org", "POST createRoom"],
  ["GET", "/_matrix/client/v3/rooms/%21join%3Aexample.org/state/m.room.encryption/", "GET rooms/state"],
  ["POST", "/_matrix/client/v1/appservice/matrix-appservice-sip/ping", "POST appservice/ping"],
])("%s %s is %s, without ids", (method, path, name) => {
  expect(requestName(method, path)).toBe(name);
});
