// What a trunk's answers to OPTIONS and REGISTER mean for calls. From the doctor's own requests, or by the words of the running
// bridge.
import { isMalformed, parseDescription } from "../../../core/sdp/description.ts";
import type { TrunkSettings } from "../../../ports/sip.ts";
import type { ProbeAnswer } from "../../../sip/probe/trunk-probe.ts";
import type { TrunkState } from "../beside.ts";
import { failed, ok, skipped, warning, type Finding } from "../check.ts";

/** `trunks[0]`, for what mends it. */
export interface JudgedTrunk {
  readonly settings: TrunkSettings;
  readonly setting: string;
}

const page = "docs/trunks/sip.md";

/** RFC 3261 s11: any answer shows a server that works, but these two. */
export function worksByOptions(answer: ProbeAnswer): boolean {
  return answer.kind === "answered" && answer.status !== 408 && answer.status !== 503;
}

export function wordsOf(answer: ProbeAnswer): string {
  return answer.kind === "none" ? answer.message : `${answer.status} ${answer.phrase}`.trim();
}

export function judgeCredentials(answer: ProbeAnswer, { settings, setting }: JudgedTrunk): Finding {
  const { credentials, registration } = settings;
  if (answer.kind === "none") return skipped("the registrar did not answer");
  const { status, gotPassword, realms } = answer;
  const words = wordsOf(answer);
  if (status < 300)
    return ok(gotPassword ? "the trunk takes user name and password" : "the trunk asks for no password");
  if (status === 401 || status === 407) {
    if (credentials === undefined)
      return failed(`the trunk asks for a password (${words}), and none is set`, `set ${setting}.credentials`);
    if (!gotPassword) {
      const asked = realms.join(", ");
      return failed(
        `the trunk asks for the password of the realm ${asked}, for which it is not`,
        `add that realm to ${setting}.credentials.realms, if it is the trunk's`,
      );
    }
    return failed(
      `the trunk refuses the password of ${credentials.username} (${words})`,
      `check ${setting}.credentials.password and username: some trunks say the same of both`,
    );
  }
  if (status === 404 || status === 604)
    return failed(
      `the trunk does not know the user ${registration?.user ?? credentials?.username ?? ""} (${words})`,
      `check ${setting}.credentials.username, registration.user and registration.domain`,
    );
  if (status === 403 && gotPassword)
    return failed(
      `the trunk forbids ${credentials?.username} to register (${words}), though it got the password`,
      `check ${setting}.credentials: many trunks answer so to a wrong password; or the account is locked`,
    );
  return skipped("the registrar did not get as far as the password");
}

export function judgeRegistration(answer: ProbeAnswer, { setting }: JudgedTrunk, isTaken: string): Finding {
  const words = wordsOf(answer);
  if (answer.kind === "none") return failed(`no answer to REGISTER: ${words}`, `check ${setting}.registration.domain`);
  if (answer.status < 300) return ok(isTaken);
  if (answer.status === 403)
    return failed(
      `REGISTER was answered ${words}, without asking for a password`,
      `ask the trunk whether it takes registrations from this address; check ${setting}.registration.domain`,
    );
  if (answer.status >= 500)
    return failed(`REGISTER was answered ${words}`, "the trunk has a fault of its own: try again, then ask it");
  return failed(`REGISTER was answered ${words}`, `check ${setting}.registration (${page})`);
}

/** A bridge that runs says it in words. */
export function registerAnswerOf({ registered, detail }: TrunkState, { settings }: JudgedTrunk): ProbeAnswer {
  const base = { kind: "answered", realms: [], sdp: undefined, date: undefined } as const;
  const gotPassword = settings.credentials !== undefined;
  if (registered === true) return { ...base, status: 200, phrase: "OK", gotPassword };
  const [, status, phrase = ""] = /REGISTER answered (\d{3})([^;]*)/.exec(detail) ?? [];
  if (status === undefined) return { kind: "none", message: detail };
  return { ...base, status: Number(status), phrase: phrase.trim(), gotPassword };
}

export function judgeHealth(
  { name, state, detail, paused, registered }: TrunkState,
  { setting }: JudgedTrunk,
): Finding {
  if (paused)
    return warning("an admin has paused it: no calls begin over it", `matrix-appservice-sip trunks resume ${name}`);
  const answers = /OPTIONS answered (?!408|503)\d{3}/.test(detail);
  if (state === "up" || (registered === false && answers)) return ok(`the running bridge says: ${detail}`);
  if (state === "unknown") return skipped(`the running bridge does not know yet: ${detail}`);
  if (registered === false && detail.startsWith("REGISTER "))
    return skipped("the running bridge asks by REGISTER alone");
  return failed(`the running bridge says: ${detail}`, `check ${setting}.server and its firewall`);
}

export function judgeCodecs(sdp: string, { settings, setting }: JudgedTrunk): Finding {
  const read = parseDescription(sdp);
  if (isMalformed(read)) return skipped(`the trunk says of its media what is no SDP: ${read.problem}`);
  const theirs = read.audio.formats.map(({ name }) => name);
  const common = settings.media.codecs.filter((own) => theirs.some((name) => name.toUpperCase() === own.toUpperCase()));
  if (common.length > 0) return ok(`${common.join(", ")} in common`);
  return failed(
    `the trunk speaks ${theirs.join(", ") || "nothing"}, and may speak ${settings.media.codecs.join(", ")} here`,
    `set ${setting}.media.codecs to what it has, or let the trunk offer G.711`,
  );
}
