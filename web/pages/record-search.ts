// What the search form says, as the API is asked. Pure.
export type Search = Readonly<
  Partial<Record<"from" | "to" | "person" | "number" | "trunk" | "result" | "whole_numbers", string>>
>;

/** Days begin at midnight where the browser is. */
export function searchOf(query: Readonly<Record<string, string>>): Search {
  const { from, to, person, number, trunk, result, whole_numbers: whole } = query;
  const wanted = {
    from: from && midnight(from),
    to: to && midnight(to),
    person,
    number,
    trunk,
    result,
    whole_numbers: whole,
  };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined && value !== ""));
}

/** What is no day is passed on: the bridge says what is wrong with it. */
function midnight(day: string): string {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  if (year === undefined) return day;
  const at = new Date(Number(year), Number(month) - 1, Number(date));
  return Number.isNaN(at.getTime()) ? day : at.toISOString();
}
