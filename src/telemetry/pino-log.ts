// The log: pino lines in JSON or for people, every field through the mask first.
import pino from "pino";
import type { Log, LogFields, LogLevel } from "../ports/telemetry.ts";
import { Mask } from "./mask.ts";
import { prettyLines } from "./pretty-line.ts";

/** JSON for programs; `pretty` for people, with colours or without. */
export type LogForm = "json" | "pretty" | "pretty-in-colour";

export interface LogOptions {
  readonly level: LogLevel;
  readonly maskNumbers: boolean;
  /** What every ghost's localpart begins with: what follows is a number. */
  readonly ghostPrefix: string;
  /** JSON when undefined. */
  readonly form?: LogForm | undefined;
  /** Takes one line with its end; standard output when undefined. */
  readonly write?: ((line: string) => void) | undefined;
}

/** Of a log and all that are made of it. pino has a level in each, which would have to be set one by one. */
interface Threshold {
  level: LogLevel;
}

class PinoLog implements Log {
  readonly #threshold: Threshold;
  readonly #mask: Mask;
  readonly #open: () => pino.Logger;
  #opened: pino.Logger | undefined;

  /** `open` is asked for the first line: most calls write one, under the last of several names. */
  constructor(threshold: Threshold, mask: Mask, open: () => pino.Logger) {
    this.#threshold = threshold;
    this.#mask = mask;
    this.#open = open;
  }

  get #pino(): pino.Logger {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  trace(message: string, fields?: LogFields): void {
    this.#write("trace", message, fields);
  }
  debug(message: string, fields?: LogFields): void {
    this.#write("debug", message, fields);
  }
  info(message: string, fields?: LogFields): void {
    this.#write("info", message, fields);
  }
  warn(message: string, fields?: LogFields): void {
    this.#write("warn", message, fields);
  }
  error(message: string, fields?: LogFields): void {
    this.#write("error", message, fields);
  }

  child(fields: LogFields): Log {
    const open = (): pino.Logger => this.#pino.child(this.#mask.fields(fields, { sdp: false, stack: false }));
    return new PinoLog(this.#threshold, this.#mask, open);
  }

  #write(level: LogLevel, message: string, fields: LogFields | undefined): void {
    // Masking costs more than a line that nobody sees is worth.
    if (weight(level) < weight(this.#threshold.level)) return;
    const showing = { sdp: level === "trace", stack: level === "error" };
    this.#pino[level](fields === undefined ? {} : this.#mask.fields(fields, showing), message);
  }
}

function weight(level: LogLevel): number {
  return pino.levels.values[level] ?? 0;
}

export interface LevelledLog {
  readonly log: Log;
  readonly level: () => LogLevel;
  readonly setLevel: (level: LogLevel) => void;
}

function openLogger(settings: pino.LoggerOptions, form: LogForm, write: LogOptions["write"]): pino.Logger {
  const out: pino.DestinationStream = write === undefined ? pino.destination({ sync: true }) : { write };
  if (form === "json") return pino(settings, out);
  const pretty = prettyLines(form === "pretty-in-colour");
  return pino(settings, { write: (line) => out.write(pretty(line)) });
}

export function createLog(options: LogOptions): LevelledLog {
  const threshold: Threshold = { level: options.level };
  const settings: pino.LoggerOptions = {
    level: "trace",
    // No pid and host name: whoever collects the lines knows where they come from.
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  const { form = "json", write } = options;
  const logger = openLogger(settings, form, write);
  return {
    log: new PinoLog(threshold, new Mask(options.maskNumbers, options.ghostPrefix), () => logger),
    level: () => threshold.level,
    setLevel(level) {
      threshold.level = level;
    },
  };
}
