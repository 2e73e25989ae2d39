// The price list: CSV as spreadsheets write it, and an error with its line for whatever is not understood.
import { describe, expect, test } from "vitest";
import { trunkName } from "../../src/core/ids.ts";
import { readRates } from "../../src/config/rates/rates-file.ts";

const trunks = new Set(["main", "mobile"]);
const main = trunkName("main");

function tableOf(text: string) {
  const read = readRates(text, trunks);
  if (read.kind === "failed") throw new Error(read.problems.join("\n"));
  return read.table;
}

function problemsOf(text: string): readonly string[] {
  const read = readRates(text, trunks);
  return read.kind === "failed" ? read.problems : [];
}

describe("a price list", () => {
  test("has a prefix and a price; whole minutes are billed unless it says otherwise", () => {
    const table = tableOf("prefix,price\n44,0.0125\n4470,1\n");
    expect(table.size).toBe(2);
    expect(table.find("442079460123", main)).toEqual({
      name: "",
      perMinute: 12_500,
      connection: 0,
      initialS: 60,
      followingS: 60,
    });
  });

  test("has a fee, increments, a name and a trunk where it wants", () => {
    const table = tableOf(
      'Prefix,Name,Price,Connection,Increments,Trunk\r\n+371,"Latvia, ""all""",0.30,0.05,30/6,mobile\r\n',
    );
    expect(table.find("37112345678", trunkName("mobile"))).toEqual({
      name: 'Latvia, "all"',
      perMinute: 300_000,
      connection: 50_000,
      initialS: 30,
      followingS: 6,
    });
    expect(table.find("37112345678", main)).toBeUndefined();
    expect(tableOf("prefix,price,initial,following\n44,1,30,6\n").find("44", main)).toMatchObject({
      initialS: 30,
      followingS: 6,
    });
    expect(tableOf("prefix,price,initial\n44,1,1\n").find("44", main)).toMatchObject({ initialS: 1, followingS: 1 });
  });

  test("may come from a German spreadsheet: byte order mark, semicolons, decimal commas, a quoted line break", () => {
    const table = tableOf('\ufeffprefix;price;name\r\n49;0,0125;"Germany\nlandline"\r\n\r\n371;"0,5";Latvia\r\n');
    expect([table.find("4930", main)?.perMinute, table.find("371", main)?.perMinute]).toEqual([12_500, 500_000]);
  });

  test("may have tabs, old line ends and no end of the last line", () => {
    expect(tableOf("prefix\tprice\r44\t1\r33\t2").size).toBe(2);
  });

  test.each([
    ["", "has no prices in it"],
    ["prefix,price\n", "has no prices in it"],
    [
      "44,0.1\n",
      'line 1 has the unknown column "44": there are prefix, price, connection, initial, following, increments, name, trunk',
    ],
    [
      "prefix,conection,price\n44,1,1\n",
      'line 1 has the unknown column "conection": there are prefix, price, connection, initial, following, increments, name, trunk',
    ],
    ["prefix\n44\n", "line 1 should be a header with the columns prefix and price"],
    ["prefix,price,price\n", "line 1 has the column price twice"],
    [
      "prefix,price,increments,initial\n",
      "line 1 has the columns increments and initial or following, which say the same",
    ],
    [
      "prefix,price\n0044,1\n",
      'line 2: prefix should be the first digits of numbers with their country code, such as 4420, not "0044"',
    ],
    ["prefix,price\n44,free\n", 'line 2: price should be what a minute costs, such as 0.0125, not "free"'],
    ["prefix,price\n44,\n", 'line 2: price should be what a minute costs, such as 0.0125, not ""'],
    ["prefix,price\n44,-1\n", 'line 2: price should be what a minute costs, such as 0.0125, not "-1"'],
    ['prefix,price\n44,"1.000,50"\n', 'line 2: price should be what a minute costs, such as 0.0125, not "1.000,50"'],
    ["prefix,price\n44,0,05\n", "line 2: should have 2 cells, and has 3"],
    [
      "prefix,price,increments\n44,1,0/1\n",
      "line 2: increments should be whole seconds from 1 to 3600, such as 60/60 or 1/1",
    ],
    ["prefix,price,trunk\n44,1,mian\n", 'line 2: trunk should be the name of a trunk (main, mobile), not "mian"'],
    ["prefix,price\n44,1\n33,1\n+44,2\n", "line 4: prefix 44 has a price in line 2 already"],
    ['prefix,price\n"44,1\n', "line 2 has a quote that is never closed"],
    ['prefix,price\n"44"x,1\n', "line 2 has text behind a closing quote"],
    ['prefix,price,name\n44,1,a"b\n', "line 2 has a quote in the middle of a cell"],
  ])("that says %j is refused with its line", (text, problem) => expect(problemsOf(text)).toEqual([problem]));

  test("with many faults names the first ones", () => {
    const text = `prefix,price\n${Array.from({ length: 50 }, (_, at) => `x${at},1`).join("\n")}\n`;
    expect(problemsOf(text)).toHaveLength(11);
    expect(problemsOf(text).at(-1)).toBe("and perhaps more");
  });

  test("of 200,000 rows is read whole", () => {
    const rows = Array.from(
      { length: 200_000 },
      (_, at) => `${100_000_000 + at * 37},0.${at % 997},Place ${at % 300},60/60`,
    );
    const table = tableOf(`prefix,price,name,increments\n${rows.join("\n")}\n`);
    expect(table.size).toBe(200_000);
    expect(table.find("1000000370", main)?.name).toBe("Place 1");
  });
});
