// Trunks are added, changed and taken away while the bridge runs: what the other side sees, and that no call is lost by it.
import { createSocket } from "node:dgram";
import { expect, test } from "vitest";
import { trunkName } from "../../../src/core/ids.ts";
import { header } from "../../../src/sip/wire/message.ts";
import { answered, hangUp } from "../rig/answered-call.ts";
import { contactPort } from "../rig/peer.ts";
import { rig, startPeer } from "../rig/rig.ts";
import { ANSWER, TRUNK, trunkSettings, type Stack } from "../rig/stack.ts";
import { registered, registering, take } from "./registering.ts";

/** On which nobody listens a moment later either. */
async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

const other = trunkName("other");

async function change(stack: Stack, ...next: Parameters<Stack["trunks"]["prepare"]>[0]): Promise<readonly string[]> {
  const prepared = await stack.trunks.prepare(next);
  prepared.commit();
  return prepared.waiting;
}

test("a new trunk registers and carries calls, beside the one that is there", async () => {
  const { peer, stack } = await rig();
  const second = await startPeer();
  await change(stack, trunkSettings(peer.port), trunkSettings(second.port, { name: other, ...registering }));
  take(second, await second.request("REGISTER"));
  await registered(stack);
  stack.invite({ trunk: other });
  await second.request("INVITE");
  stack.invite();
  await peer.request("INVITE");
  expect(stack.trunks.health().map(({ name }) => name)).toEqual([TRUNK, other]);
});

test("a trunk that is taken away unregisters once, refuses new calls, and its call goes on until it ends", async () => {
  const { peer, stack } = await rig("udp", registering);
  const register = await peer.request("REGISTER");
  take(peer, register);
  await registered(stack);
  const { call } = await answered({ peer, stack });
  const second = await startPeer();
  await change(stack, trunkSettings(second.port, { name: other }));
  const gone = await peer.request("REGISTER");
  expect(header(gone.message, "Expires")).toBe("0");
  take(peer, gone, { contacts: [] });
  expect(stack.trunks.health().map(({ name }) => name)).toEqual([other]);
  const refused = stack.invite();
  expect(await stack.fact(refused, "sip.failed")).toMatchObject({ message: "no trunk named trunk" });
  stack.trunks.reoffer(call, ANSWER);
  const again = await peer.request("INVITE");
  peer.reply(again, 200, { sdp: ANSWER });
  await stack.fact(call, "sip.reanswered");
  await hangUp(peer, stack, call);
  expect(peer.count("REGISTER")).toBe(2);
});

test("another password and other terms hold from the next request on, without another socket", async () => {
  const { peer, stack } = await rig("udp", { sessionTimer: undefined });
  const first = stack.invite();
  const before = await peer.request("INVITE");
  const next = trunkSettings(peer.port, { sessionTimer: { expiresMs: 900_000, minMs: 90_000 } });
  expect(await change(stack, next)).toEqual([]);
  stack.trunks.cancel(first);
  stack.invite();
  const after = await peer.request("INVITE");
  expect(header(after.message, "Session-Expires")).toBe("900");
  expect(contactPort(after)).toBe(contactPort(before));
});

test("another server is called at once, while the call over the former one goes on", async () => {
  const { peer, stack } = await rig();
  const { call } = await answered({ peer, stack });
  const second = await startPeer();
  expect(await change(stack, trunkSettings(second.port))).toEqual([]);
  stack.invite();
  await second.request("INVITE");
  await hangUp(peer, stack, call);
});

test("a trunk on a fixed port takes its new server when its last call has ended", async () => {
  const port = await freePort();
  const local = { host: "127.0.0.1", port, advertised: undefined };
  const { peer, stack } = await rig("udp", { local });
  const { call } = await answered({ peer, stack });
  const second = await startPeer();
  expect(await change(stack, trunkSettings(second.port, { local, optionsIntervalMs: 60_000 }))).toEqual([TRUNK]);
  await hangUp(peer, stack, call);
  // It asks its new server how it is.
  await second.request("OPTIONS");
  stack.invite();
  const next = await second.request("INVITE");
  expect(contactPort(next)).toBe(port);
});

test("where a new trunk's port is taken nothing changes", async () => {
  const { peer, stack } = await rig();
  const taken = await startPeer();
  const local = { host: "127.0.0.1", port: taken.port, advertised: undefined };
  const next = [trunkSettings(taken.port, { name: other, local })];
  await expect(stack.trunks.prepare(next)).rejects.toMatchObject({ name: "TransportError" });
  expect(stack.trunks.health().map(({ name }) => name)).toEqual([TRUNK]);
  stack.invite();
  await peer.request("INVITE");
});
