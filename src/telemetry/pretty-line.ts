// A line of the log as a person reads it at a terminal: the hour, the level, the message, the fields.
import { prettyFactory } from "pino-pretty";

const standing: ReadonlySet<string> = new Set(["level", "time", "msg"]);
/** What would steer the terminal, begin a line or turn the text around. */
const steering = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;
const bare = /^[^\s="{}[\]]+$/;

/** Turns a JSON line into one for people. It is made of what peers and people sent, so nothing in it steers the terminal. */
export function prettyLines(colours: boolean): (line: string) => string {
  const inWords = prettyFactory({
    colorize: colours,
    translateTime: "SYS:HH:MM:ss.l",
    hideObject: true,
    messageFormat: (line) => {
      const fields = Object.entries(line).filter(([name]) => !standing.has(name));
      return [String(line["msg"]), ...fields.map(([name, value]) => `${name}=${shown(value)}`)].join("  ");
    },
  });
  return (line) => inWords(line) ?? line;
}

function shown(value: unknown): string {
  if (typeof value === "string" && bare.test(value) && value.search(steering) < 0) return value;
  const text = JSON.stringify(value) ?? "";
  return text.replaceAll(steering, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
