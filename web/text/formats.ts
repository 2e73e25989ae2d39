// Numbers, times and durations as a language writes them. Pure.

/** ms since the epoch, or as the API writes it. */
type Moment = number | string;

export interface Formats {
  /** Of today: the time. Of another day: the day and the time. */
  readonly moment: (at: Moment, nowMs: number) => string;
  /** Hours, minutes, seconds. */
  readonly clock: (at: Moment) => string;
  /** With the day, the year and the zone. */
  readonly full: (at: Moment) => string;
  /** As it ticks: 0:42, 1:02:05. */
  readonly ticking: (ms: number) => string;
  /** In words: 1 min 5 sec. The two largest units. */
  readonly duration: (ms: number) => string;
  readonly number: (value: number, digits?: number) => string;
  /** `part` of 1. */
  readonly percent: (part: number, digits?: number) => string;
  readonly milliseconds: (value: number) => string;
  readonly minutes: (value: number) => string;
  /** `currency`: ISO 4217. */
  readonly money: (value: number, currency: string) => string;
  readonly list: (parts: readonly string[]) => string;
}

const msOf = (at: Moment): number => (typeof at === "number" ? at : Date.parse(at));
const units = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

/** `timeZone`: the browser's unless given. */
export function formatsOf(locale: string, timeZone?: string): Formats {
  const zone = timeZone === undefined ? {} : { timeZone };
  const dates = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
    new Intl.DateTimeFormat(locale, { ...zone, ...options });
  const clocks = dates({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const days = dates({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const years = dates({ day: "numeric", month: "short", year: "numeric" });
  const fulls = dates({ dateStyle: "full", timeStyle: "long", hourCycle: "h23" });
  const sameDay = dates({ day: "numeric", month: "numeric", year: "numeric" });
  const unit = (name: string): Intl.NumberFormat =>
    new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: 0 });
  const durations = units.map(([name, seconds]) => ({ seconds, format: unit(name) }));
  const millisecond = unit("millisecond");
  const lists = new Intl.ListFormat(locale, { type: "conjunction" });
  return {
    moment(at, nowMs) {
      const ms = msOf(at);
      if (sameDay.format(ms) === sameDay.format(nowMs)) return clocks.format(ms);
      return Math.abs(nowMs - ms) < 300 * 86_400_000 ? days.format(ms) : years.format(ms);
    },
    clock: (at) => clocks.format(msOf(at)),
    full: (at) => fulls.format(msOf(at)),
    ticking(ms) {
      const all = Math.max(0, Math.floor(ms / 1000));
      const seconds = String(all % 60).padStart(2, "0");
      const minutes = Math.floor(all / 60) % 60;
      const hours = Math.floor(all / 3600);
      return hours === 0 ? `${minutes}:${seconds}` : `${hours}:${String(minutes).padStart(2, "0")}:${seconds}`;
    },
    duration(ms) {
      let left = Math.max(0, Math.floor(ms / 1000));
      const parts = durations.flatMap(({ seconds, format }) => {
        const count = Math.floor(left / seconds);
        left -= count * seconds;
        return count === 0 ? [] : [format.format(count)];
      });
      return parts.slice(0, 2).join(" ") || unit("second").format(0);
    },
    number: (value, digits = 0) =>
      new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value),
    percent: (part, digits = 1) =>
      new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: digits }).format(part),
    milliseconds: (value) => millisecond.format(Math.round(value)),
    minutes: (value) =>
      new Intl.NumberFormat(locale, { style: "unit", unit: "minute", maximumFractionDigits: 1 }).format(value),
    money(value, currency) {
      if (!/^[A-Z]{3}$/.test(currency)) return `${new Intl.NumberFormat(locale).format(value)} ${currency}`.trim();
      return new Intl.NumberFormat(locale, { style: "currency", currency }).format(value);
    },
    list: (parts) => lists.format(parts),
  };
}
