// Keeps what the bridge logs and counts.
import type { MediaEnd } from "../../src/core/media-end.ts";
import type { CallRecord } from "../../src/core/call/model/record.ts";
import type { Log, LogFields, LogLevel, Telemetry } from "../../src/ports/telemetry.ts";
import { noTracing, type Tracing } from "../../src/ports/tracing.ts";
import { scan } from "../setup/scanner.ts";

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

function logInto(lines: Line[], of: LogFields): Log {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      scan(level, message, { ...of, ...fields });
      lines.push({ level, message, fields: { ...of, ...fields } });
    };
  return {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => logInto(lines, { ...of, ...fields }),
  };
}

export class FakeTelemetry implements Telemetry {
  readonly lines: Line[] = [];
  readonly log = logInto(this.lines, {});
  readonly tracing: Tracing = noTracing;
  level: LogLevel = "info";
  logLevel(): LogLevel {
    return this.level;
  }
  setLogLevel(level: LogLevel): void {
    this.level = level;
  }
  /** Set-up times in ms. */
  readonly answered: number[] = [];
  readonly ended: CallRecord[] = [];
  readonly ignored: string[] = [];
  readonly texts: string[] = [];
  readonly unheard: MediaEnd[] = [];
  readonly limits: string[] = [];
  started = 0;
  readonly held: string[] = [];
  callsHeld(shape: string): void {
    this.held.push(shape);
  }
  limitTold(scope: string, what: string): void {
    this.limits.push(`${scope} ${what}`);
  }
  masksNumbers = false;
  shownNumber(number: string): string {
    return this.masksNumbers ? `number of ${number.length} characters` : number;
  }
  /** Set to make counting what was ignored throw. */
  defect: Error | undefined;
  callStarted(): void {
    this.started += 1;
  }
  callEnded(record: CallRecord): void {
    this.ended.push(record);
  }
  callAnswered(setupMs: number): void {
    this.answered.push(setupMs);
  }
  texted(direction: string, outcome: string): void {
    this.texts.push(`${direction} ${outcome}`);
  }
  lookedUp(): void {}
  callUnheard(side: MediaEnd): void {
    this.unheard.push(side);
  }
  factIgnored(fact: string, phase: string): void {
    if (this.defect !== undefined) throw this.defect;
    this.ignored.push(`${fact} in ${phase}`);
  }
  homeserverAnswered(): void {}
  certificateEnds(): void {}
  trunkState(): void {}
  eventsTaken(): void {}
  inboxDepth(): void {}
}
