// A call to a number by MatrixRTC and without a browser, measured at both ends: `npm run demo -- --headless --rtc`.
import { isJson, logIn, path, text, type ClientApi } from "../headless/client-api.ts";
import { placeRtcCall, type RtcCall } from "../headless/rtc-call.ts";
import { PERSON } from "./config-text.ts";
import { measuredHz, failure, measureBoth, sayTo, type Print } from "./measured-call.ts";
import type { Stack } from "./stack.ts";

const answerTimeoutMs = 15_000;

/** Resolves when the call has worked from end to end. Throws DemoError where it has not. */
export async function placeCallByRtc(stack: Stack, number: string, print: Print): Promise<void> {
  const { homeserver, gateway, livekitServiceUrl, config } = stack;
  if (livekitServiceUrl === undefined) throw failure("There is no media server.");
  const say = sayTo(print);
  const { localpart: user, password } = PERSON;
  const api = await logIn({ homeserverUrl: homeserver.url, user, password, deviceName: "headless MatrixRTC client" });
  const ghost = await lookUp(api, number);
  const roomId = await directRoom(api, ghost);
  await homeserver.eventWhere(
    ({ type, state_key, content }) =>
      type === "m.room.member" && state_key === ghost && content["membership"] === "join",
  );
  const bindHost = config.media.ice.host ?? "127.0.0.1";
  const beganMs = performance.now();
  const call = await placeRtcCall(api, { roomId, livekitServiceUrl, toneHz: measuredHz, bindHost });
  try {
    const isIn = ({ type, sender }: { type: string; sender: string }): boolean =>
      sender === ghost && type === "org.matrix.msc3401.call.member";
    await homeserver.eventWhere((event) => isIn(event) && "application" in event.content, answerTimeoutMs);
    const answeredMs = Math.round(performance.now() - beganMs);
    await heardSomething(call);
    const far = gateway.calls.at(-1);
    if (far === undefined) throw failure("The number is in the call, and the gateway has none.");
    print("");
    say("lookup", `${number} is ${ghost}`);
    say("ringing", far.statuses.includes(180) ? "the gateway sent 180" : "not at all");
    say(
      "answer",
      `the number came into the call after ${answeredMs} ms, heard ${Math.round(performance.now() - beganMs)} ms after it began`,
    );
    await measureBoth({ stack, far, say, near: call, nearName: "caller", player: number });
    await call.leave();
    const end = await gateway.until(() => far.end);
    say("hang-up", `the gateway got BYE${end.reason === undefined ? "" : ` (${end.reason})`}`);
    if (end.by !== "caller" || end.how !== "bye") throw failure("The gateway should get a BYE.");
    await homeserver.eventWhere((event) => isIn(event) && !("application" in event.content), answerTimeoutMs);
    say("left", "the number is in the call no longer");
  } finally {
    await call.leave();
  }
}

async function heardSomething(call: RtcCall): Promise<void> {
  await call
    .until(() => call.heardMs > 0, answerTimeoutMs)
    .catch((cause: unknown) => {
      throw failure("The number is in the call, and nothing is heard of it.", { cause });
    });
}

async function lookUp(api: ClientApi, number: string): Promise<string> {
  const query = new URLSearchParams({ "m.id.phone": number }).toString();
  const found = await api.ask("GET", `/thirdparty/user/m.protocol.pstn?${query}`);
  const [first] = Array.isArray(found) ? (found as unknown[]) : [];
  const ghost = text(isJson(first) ? first["userid"] : undefined);
  if (ghost === undefined) throw failure(`The lookup of ${number} found nobody.`);
  return ghost;
}

async function directRoom(api: ClientApi, ghost: string): Promise<string> {
  const body = { preset: "trusted_private_chat", is_direct: true, invite: [ghost] };
  const made = await api.ask("POST", path`/createRoom`, body);
  return text(isJson(made) ? made["room_id"] : undefined) ?? "";
}
