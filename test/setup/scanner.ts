// Finds secrets in what tests log: those that are written down in them (collect-secrets.ts), and whatever has the form of one.
// Every line of the real log comes here, whatever its level, and so do those of the doubles, each as the log would write it.
import type { Log, LogFields, LogLevel } from "../../src/ports/telemetry.ts";
import { createLog } from "../../src/telemetry/pino-log.ts";

const forms: readonly (readonly [what: string, form: RegExp])[] = [
  ["a key of SRTP", /\binline:[A-Za-z0-9+/=]{16,}|\ba=crypto:(?!\[removed\])|\bk=\w+:(?!\[removed\])/],
  ["a password of ICE", /\ba=ice-pwd:(?!\[removed\])/],
  ["digest credentials", /\bauthorization:\s*(?!\[removed\])\w|\bresponse=\\?"?[0-9a-f]{16,}/i],
  ["a token", /\bBearer\s+(?!\[removed\])[\w.+/=-]{8,}|\baccess_token=(?!\[removed\])/i],
  ["a token of JSON (JWT)", /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\./],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY/],
  ["a token of a registration", /"[0-9a-f]{64}"/],
  ["digits that were pressed", /"(?:digits?|pins?|tones?)":"(?!\[removed\])[^"]|\bSignal\s*=\s*[0-9A-D*#]/],
];

/** Written down in tests, or made while a test runs. */
const planted = new Set<string>();
const secretName = /password|passphrase|token|secret|credential|pin$/i;

/** Whatever may be one: tests write hundreds of thousands of lines, and hardly any has one. */
let suspicious: RegExp | undefined;

export function plant(secrets: readonly string[]): void {
  for (const secret of secrets) planted.add(secret);
  suspicious = undefined;
}

function suspicion(): RegExp {
  const words = [...planted].map((secret) => secret.replaceAll(/[^\w]/g, String.raw`\$&`));
  return new RegExp([...forms.map(([, { source }]) => source), ...words].join("|"), "i");
}

/** Of a configuration or a registration: every text under a name of a secret. */
export function plantSecretsOf(settings: unknown): void {
  if (typeof settings !== "object" || settings === null) return;
  for (const [name, value] of Object.entries(settings) as [string, unknown][]) {
    if (typeof value === "object") plantSecretsOf(value);
    else if (typeof value === "string" && value.length >= 6 && secretName.test(name)) plant([value]);
  }
}

interface Leak {
  readonly what: string;
  readonly line: string;
}

const leaks: Leak[] = [];

export function scanLine(written: string): void {
  // JSON writes the ends of lines so; as words they would stick to what comes after them.
  const line = written.replaceAll(/\\[rnt]/g, "\n").replaceAll('\\"', '"');
  suspicious ??= suspicion();
  if (!suspicious.test(line)) return;
  for (const [what, form] of forms) if (form.test(line)) leaks.push({ what, line });
  for (const secret of planted) if (line.includes(secret)) leaks.push({ what: `the secret ${secret}`, line });
}

/** Since the last time, as words. */
export function leaksFound(): readonly string[] {
  return leaks.splice(0).map(({ what, line }) => `${what} is in the log: ${line.slice(0, 500)}`);
}

const levels = ["trace", "debug", "info", "warn", "error"] as const;
const { log: shared } = createLog({ level: "trace", maskNumbers: true, ghostPrefix: "_sip_", write: scanLine });
const real: Log = Object.getPrototypeOf(shared) as Log;
const write = Object.fromEntries(levels.map((level) => [level, real[level]])) as Record<LogLevel, Log["info"]>;

/** A line that a double was given: it is scanned as the real log would have written it at level trace. */
export function scan(level: LogLevel, message: string, fields: LogFields = {}): void {
  write[level].call(shared, message, fields);
}

/** From now on every line of every real log is scanned, those that its level leaves out too. */
export function watchRealLogs(): void {
  for (const level of levels) {
    real[level] = function scanned(this: Log, message: string, fields?: LogFields) {
      scan(level, message, fields);
      write[level].call(this, message, fields);
    };
  }
  const child: (this: Log, fields: LogFields) => Log = Reflect.get(real, "child");
  real.child = function scanned(this: Log, fields: LogFields) {
    scan("info", "fields of a log", fields);
    return child.call(this, fields);
  };
}
