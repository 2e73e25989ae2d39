// Runs the bridge until a signal. SIGHUP has it read its configuration again. SIGTERM lets calls end by themselves first, if that is configured; the next signal stops
// the bridge, within a deadline; the one after that ends the process at once.
import type { BridgeOptions, RunningBridge } from "../app.ts";
import { requireCertificates } from "../config/checks/certificates.ts";
import { loadConfig } from "../config/load.ts";
import { toAdminSocket } from "../config/mapping/admin-mapping.ts";
import { toRegistrationFacts } from "../config/mapping/mapping.ts";
import { ConfigError } from "../config/reading/problem.ts";
import { encryptionSecretPath, loadEncryptionSecret } from "../config/registration/encryption-secret.ts";
import { loadPeopleToken, peopleRegistrationPath } from "../config/registration/people-registration.ts";
import { loadRegistration } from "../config/registration/registration.ts";
import type { Config } from "../config/schema/schema.ts";
import { StoreError } from "../ports/store.ts";
import type { LogForm } from "../telemetry/pino-log.ts";
import { exitCode } from "./exit-code.ts";
import type { StopSignal, Terminal } from "./terminal.ts";
import { packageVersion } from "./version.ts";

/** What is run, of what app.ts starts. */
type Running = Pick<RunningBridge, "config" | "refused" | "reload" | "drain" | "stop">;

/** As `startBridge` of app.ts. */
export type StartBridge = (options: BridgeOptions) => Promise<Running>;

export interface RunOptions {
  readonly configPath: string;
  readonly registrationPath: string;
  readonly port: number | undefined;
}

/** Container runtimes kill after 10 s. */
const stopDeadlineMs = 8_000;
const signalNumbers: Readonly<Record<StopSignal, number>> = { SIGINT: 2, SIGTERM: 15 };

/** Resolves with the exit code when the bridge has stopped. Throws ConfigError. */
export async function runBridge(
  options: RunOptions,
  terminal: Terminal,
  start: StartBridge,
  deadlineMs = stopDeadlineMs,
): Promise<number> {
  const { configPath } = options;
  const source = {
    path: configPath,
    read: (): Config => {
      const found = loadConfig(configPath, terminal.env);
      requireCertificates(found, configPath);
      return found;
    },
  };
  const config = source.read();
  const facts = toRegistrationFacts(config);
  const registration = loadRegistration(options.registrationPath, facts);
  const peopleToken = config.inbound.join_for_people
    ? loadPeopleToken(peopleRegistrationPath(options.registrationPath), facts, registration, terminal.env)
    : undefined;
  const encryptionSecret = loadEncryptionSecret(encryptionSecretPath({ ...options, config }), config.encryption.mode);
  let bridge: Running | undefined;
  const signals = signalsOf(terminal, () => {
    // The bridge logs what comes of it.
    if (bridge !== undefined) void bridge.reload();
    else terminal.err("matrix-appservice-sip: still starting: the configuration is not read again\n");
  });
  const asked = signals.next();
  try {
    bridge = await start({
      config,
      source,
      registration,
      peopleToken,
      encryptionSecret,
      adminSocket: toAdminSocket(config, { configPath: options.configPath, env: terminal.env }),
      port: options.port,
      version: packageVersion(),
      logForm: logFormOf(config, terminal),
    });
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    terminal.err(`matrix-appservice-sip: cannot start: ${describeError(error)}\n`);
    return isDefect(error) ? exitCode.fault : exitCode.start;
  }
  const running = bridge;
  const stop = (): Promise<number> => {
    signals.waitNoMore();
    return stopWithin(running, deadlineMs, terminal);
  };
  try {
    const signal = await Promise.race([asked, running.refused]);
    const drainMs = running.config().shutdown.drain_seconds * 1_000;
    if (signal === "SIGTERM" && drainMs > 0) {
      await Promise.race([running.drain(drainMs), signals.next(), running.refused]);
    }
  } catch (error) {
    terminal.err(`matrix-appservice-sip: cannot go on: ${describeError(error)}\n`);
    await stop();
    // Another bridge took the database over: it may be gone the next time.
    if (error instanceof StoreError) return exitCode.start;
    return isDefect(error) ? exitCode.fault : exitCode.config;
  }
  return stop();
}

/** NO_COLOR: https://no-color.org */
function logFormOf({ logging: { format } }: Config, { isScreen = false, env }: Terminal): LogForm {
  if (format === "json" || (format === "auto" && !isScreen)) return "json";
  return isScreen && !env["NO_COLOR"] ? "pretty-in-colour" : "pretty";
}

/** A signal that nobody waits for ends the process at once. */
function signalsOf(terminal: Terminal, reload: () => void) {
  const exit = (signal: StopSignal): void => terminal.exit(128 + signalNumbers[signal]);
  let heard = exit;
  terminal.onSignal((signal) => {
    if (signal === "SIGHUP") reload();
    else heard(signal);
  });
  return {
    next: () =>
      new Promise<StopSignal>((resolve) => {
        heard = (signal) => {
          heard = exit;
          resolve(signal);
        };
      }),
    waitNoMore(): void {
      heard = exit;
    },
  };
}

async function stopWithin(bridge: Running, deadlineMs: number, terminal: Terminal): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), deadlineMs);
  });
  try {
    if ((await Promise.race([bridge.stop(), late])) !== "late") return exitCode.ok;
    terminal.err(`matrix-appservice-sip: not stopped after ${deadlineMs} ms; exiting anyway\n`);
  } catch (error) {
    terminal.err(`matrix-appservice-sip: did not stop cleanly: ${describeError(error)}\n`);
  } finally {
    clearTimeout(timer);
  }
  return exitCode.fault;
}

/** An error of an edge or of the system has a code, itself or at its bottom; what has none, or one of Node's own, was not foreseen. */
function isDefect(error: unknown): boolean {
  for (let found = error; found instanceof Error; found = found.cause) {
    if ("code" in found && !String(found.code).startsWith("ERR_")) return false;
  }
  return true;
}

/** One line for what can go wrong on any machine, the whole trace of a defect. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const listening = systemErrorOf(error);
  if (listening?.syscall === "listen" || listening?.syscall === "bind") {
    const place = `${listening.address ?? "*"}:${listening.port ?? "?"}`;
    const words: Readonly<Record<string, string>> = {
      EADDRINUSE: `the address ${place} is in use by another program, or by another copy of this one`,
      EADDRNOTAVAIL: `the address ${place} does not belong to this machine`,
      EACCES: `the address ${place} needs more rights; choose a port above 1023`,
    };
    const found = words[listening.code ?? ""];
    if (found !== undefined) return found;
  }
  if (isDefect(error)) return error.stack ?? error.message;
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return `${error.message}${cause}`.replaceAll(/\s*\n\s*/g, " ");
}

interface ListenError {
  readonly code?: string;
  readonly syscall?: string;
  readonly address?: string;
  readonly port?: number;
}

/** The error of the system at the bottom of a chain of causes. */
function systemErrorOf(error: Error): ListenError | undefined {
  let found: unknown = error;
  while (found instanceof Error) {
    if ("syscall" in found) return found as ListenError;
    found = found.cause;
  }
  return undefined;
}
