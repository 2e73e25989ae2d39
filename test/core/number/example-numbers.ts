// The example numbers that libphonenumber has of every region and kind: a list that nobody here has written.
import libphonenumber from "google-libphonenumber";
import type { E164 } from "../../../src/core/ids.ts";
import { readNumber } from "../../../src/core/number/e164.ts";
import { isDear, type NumberClass } from "../../../src/core/number/plan/number-class.ts";
import { classify } from "./dialled.ts";

const { PhoneNumberFormat, PhoneNumberType, PhoneNumberUtil } = libphonenumber;

export interface ExampleNumber {
  readonly e164: E164;
  readonly region: string;
  readonly type: string;
  readonly class: NumberClass;
}

/** Those that are still numbers: the two lists are not of the same day. */
export const exampleNumbers: readonly ExampleNumber[] = [...listed()].filter(
  ({ e164 }) => readNumber(e164, undefined)?.kind !== undefined,
);
export const dearNumbers = exampleNumbers.filter((example) => isDear(example.class));
export const plainNumbers = exampleNumbers.filter((example) => !isDear(example.class));

/** As the library is; its types lack half of this, and that it may find nothing. */
interface ExampleSource {
  getSupportedRegions(): readonly string[];
  getSupportedGlobalNetworkCallingCodes(): readonly number[];
  getExampleNumberForType(region: string, type: number): libphonenumber.PhoneNumber | null;
  getExampleNumberForNonGeoEntity(callingCode: number): libphonenumber.PhoneNumber | null;
  format(number: libphonenumber.PhoneNumber, format: libphonenumber.PhoneNumberFormat): string;
}

function* listed(): Generator<ExampleNumber> {
  const source = PhoneNumberUtil.getInstance() as unknown as ExampleSource;
  const e164 = (number: libphonenumber.PhoneNumber) => source.format(number, PhoneNumberFormat.E164);
  for (const region of source.getSupportedRegions()) {
    for (const [type, value] of Object.entries(PhoneNumberType)) {
      const number = type === "UNKNOWN" ? null : source.getExampleNumberForType(region, Number(value));
      if (number !== null) yield example(e164(number), region, type);
    }
  }
  for (const code of source.getSupportedGlobalNetworkCallingCodes()) {
    const number = source.getExampleNumberForNonGeoEntity(code);
    if (number !== null) yield example(e164(number), "001", "NON_GEOGRAPHIC");
  }
}

function example(text: string, region: string, type: string): ExampleNumber {
  return { e164: text as E164, region, type, class: classify(text, undefined) };
}
