// Days and months in a time zone: which one a moment is in, when it ends, and how that is said.

export type Span = "day" | "month";

/** The day and the month of a moment: `2026-12-01` and `2026-12`. */
export interface Windows {
  readonly day: string;
  readonly month: string;
}

/** By a clock with 24 hours. */
export interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
}

/** One for each zone: they are slow to make. */
const formats = new Map<string, Intl.DateTimeFormat>();
const zoneParts = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" } as const;

function partsAt(ms: number, zone: string): Readonly<Record<string, string>> {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", calendar: "gregory", ...zoneParts });
  formats.set(zone, format);
  return Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
}

/** `ms` since the epoch, as everywhere here. */
export function windowsAt(ms: number, zone: string): Windows {
  const { year = "", month = "", day = "" } = partsAt(ms, zone);
  const ofMonth = `${year.padStart(4, "0")}-${month}`;
  return { day: `${ofMonth}-${day}`, month: ofMonth };
}

/** By the clocks there, 0 to 23. */
export function hourAt(ms: number, zone: string): number {
  return Number(partsAt(ms, zone)["hour"]);
}

const minuteMs = 60_000;
/** No day or month is longer, whatever becomes of the clocks in it. */
const longestMinutes: Readonly<Record<Span, number>> = { day: 49 * 60, month: 33 * 24 * 60 };

/** When the next one begins. */
export function endOf(span: Span, ms: number, zone: string): number {
  const now = windowsAt(ms, zone)[span];
  const first = Math.floor(ms / minuteMs);
  let [within, beyond] = [first, first + longestMinutes[span]];
  // Zones differ from each other by whole minutes.
  while (beyond - within > 1) {
    const tried = Math.floor((within + beyond) / 2);
    if (windowsAt(tried * minuteMs, zone)[span] === now) within = tried;
    else beyond = tried;
  }
  return beyond * minuteMs;
}

/** When clocks there show that time next. A time that they skip is the moment in which they do. */
export function nextTime({ hour, minute }: TimeOfDay, ms: number, zone: string): number {
  const shownAt = (at: number): string => {
    const parts = partsAt(at, zone);
    return `${windowsAt(at, zone).day} ${parts["hour"] ?? ""}:${parts["minute"] ?? ""}`;
  };
  const wanted = `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
  const today = `${windowsAt(ms, zone).day} ${wanted}`;
  const sought = shownAt(ms) < today ? today : `${windowsAt(endOf("day", ms, zone), zone).day} ${wanted}`;
  let at = Math.floor(ms / minuteMs) + 1;
  // Hours first: there are thousands of minutes in two days.
  while (shownAt((at + 180) * minuteMs) < sought) at += 60;
  while (shownAt(at * minuteMs) < sought) at += 1;
  return at * minuteMs;
}

/** `00:00 on Wednesday 2 December (Europe/Berlin)`. */
export function momentText(ms: number, zone: string): string {
  const { hour = "", minute = "" } = partsAt(ms, zone);
  const day = new Intl.DateTimeFormat("en-GB", { timeZone: zone, weekday: "long", day: "numeric", month: "long" })
    .format(ms)
    .replace(",", "");
  return `${hour}:${minute} on ${day} (${zone})`;
}
