// A trunk that knows the bridge by its registration, and that the bridge knows by a password: each proves itself to the
// other, and calls go both ways.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { PERSON } from "../../dev/demo/config-text.ts";
import { ringPerson } from "../../dev/demo/ring.ts";
import { freshConfig } from "../../dev/demo/fresh-config.ts";
import { startStack } from "../../dev/demo/stack.ts";
import { createHeadlessCaller } from "../../dev/headless/caller.ts";
import { quickNumbers } from "../dev-gateway/quick-numbers.ts";

async function stackWith(transport: "udp" | "tcp") {
  const folder = await mkdtemp(join(tmpdir(), "registered-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const config = await freshConfig(transport, join(folder, "bridge.db"));
  const configPath = join(folder, "config.yaml");
  const trunk = `    credentials: {username: bridge, password: secret}
    registration: {}
    challenge: {username: gateway, password: another}
    identity:`;
  // Any free port: the gateway is told it by the registration.
  await writeFile(configPath, config.replace(/\n {6}port: \d+\n {4}identity:/, `\n${trunk}`));
  const stack = await startStack({
    transport,
    configPath,
    gatewayLog: () => undefined,
    numbers: quickNumbers(200),
    gateway: { auth: { realm: "gateway", users: { bridge: "secret" } } },
    bridgeLog: () => undefined,
  });
  onTestFinished(() => stack.stop());
  const person = await createHeadlessCaller({
    homeserverUrl: stack.homeserver.url,
    user: PERSON.localpart,
    password: PERSON.password,
    bindHost: "127.0.0.1",
  });
  onTestFinished(() => person.stop());
  return { stack, person };
}

it.each(["udp", "tcp"] as const)("calls go both ways over %s, under both passwords", async (transport) => {
  const { stack, person } = await stackWith(transport);
  const registration = await stack.gateway.until(() => stack.gateway.registrations[0]);
  expect(registration).toMatchObject({ user: "bridge", transport: transport.toUpperCase() });

  const out = await person.call("02079460102");
  await out.until(({ state }) => state === "connected");
  expect(stack.gateway.calls.at(-1)?.user).toBe("bridge");
  await out.hangup();

  const order = { sound: { hz: 440 } };
  const far = await ringPerson(stack, { ...order, credentials: { username: "gateway", password: "another" } });
  const call = await person.incoming();
  await call.answer();
  await call.until(({ state }) => state === "connected");
  await far.hangUp();
  await call.until(({ end }) => end);

  const stranger = await ringPerson(stack, { ...order, credentials: { username: "gateway", password: "guess" } });
  expect(await stack.gateway.until(() => stranger.end)).toMatchObject({ by: "callee", how: "refused", status: 401 });
});

it("a text goes to the person, and another one back", async () => {
  const { stack, person } = await stackWith("udp");
  await stack.gateway.until(() => stack.gateway.registrations[0]);
  const order = { to: PERSON.number, from: "+442079460106", credentials: { username: "gateway", password: "another" } };
  expect(await stack.gateway.message({ ...order, text: "Grüße 👋" })).toBe(200);
  const says = (body: string) => stack.homeserver.eventWhere((event) => event.content["body"] === body);
  const { room_id: roomId } = await says("Grüße 👋");
  await stack.homeserver.eventWhere(
    ({ type, room_id, state_key, content }) =>
      type === "m.room.member" && room_id === roomId && state_key === person.userId && content["membership"] === "join",
  );
  await person.write(roomId, "Danke, ebenso ☎");
  await stack.gateway.until(() => stack.gateway.messages.some(({ text }) => text === "Danke, ebenso ☎"));
  expect(stack.gateway.messages[0]?.number).toBe("+442079460106");
});
