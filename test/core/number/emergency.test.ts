import libphonenumber from "google-libphonenumber";
import { describe, expect, it } from "vitest";
import { isEmergencyCode } from "../../../src/core/number/plan/emergency.ts";

/** As the library is; its types lack both. */
const library = libphonenumber as unknown as {
  readonly ShortNumberInfo: { getInstance(): { isEmergencyNumber(number: string, region: string): boolean } };
  readonly PhoneNumberUtil: { getInstance(): { getSupportedRegions(): readonly string[] } };
};

const texts = (length: number): readonly string[] =>
  Array.from({ length: 10 ** length }, (_, number) => String(number).padStart(length, "0"));

/** The library takes microseconds for each: of the longer texts only those that begin as an emergency number may. */
const candidates = [
  ...texts(2),
  ...texts(3),
  ...texts(3).flatMap((end) => [`1${end}`, `2${end}`]),
  "10111",
  "10177",
  "90000",
];

describe("The table of emergency numbers", () => {
  it("knows all that libphonenumber knows, in every region", () => {
    const info = library.ShortNumberInfo.getInstance();
    const regions = library.PhoneNumberUtil.getInstance().getSupportedRegions();
    const known = regions.flatMap((region) =>
      candidates.filter((digits) => info.isEmergencyNumber(digits, region)).map((digits) => ({ region, digits })),
    );
    expect(known.length).toBeGreaterThan(800);
    expect(known.filter(({ region, digits }) => !isEmergencyCode(digits, region))).toEqual([]);
  });

  it("has a whole range where a country has one", () => {
    expect(["1299", "1300", "1350", "1399", "1400"].map((digits) => isEmergencyCode(digits, "GA"))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });
});
