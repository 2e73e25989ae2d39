// Emergency numbers by country: what is dialled for police, fire brigade, ambulance and their like.
// National law sets them, and it changes slowly. Why this table is ours: docs/decisions/026-emergency-numbers.md.

/** Reach help from any mobile network (3GPP TS 22.101 s10.1), so they are taken for a cry for help everywhere. */
const everywhere = ["112", "911"];
/** Further ones of 3GPP TS 22.101 s10.1, used where the country is not known. */
const unknownCountry = ["000", "08", "110", "118", "119", "999"];

/** Countries and their codes besides the two that count everywhere, `X` for any digit; a country not listed has only those. */
const table: readonly (readonly [countries: string, codes: string])[] = [
  ["AC AG FK GB GG IE IM JE LC MO MS MY NU QA SB SC SD SH SS SZ TC UG VC VG", "999"],
  ["AD", "110 116 118"],
  ["AE PL", "997 998 999"],
  ["AF", "100 102 119"],
  ["AL", "127 128 129"],
  ["AM AZ BY KG KZ TJ UA", "101 102 103"],
  ["AO", "113 115"],
  ["AR", "100 101 107"],
  ["AT", "122 133 140 141 144"],
  ["AU CC CX", "000 106"],
  ["AW", "100"],
  ["BA ME", "122 123 124"],
  ["BB", "211 311 511"],
  ["BD", "100 101 102 199 999"],
  ["BE", "100 101"],
  ["BF DJ KM MR SN TD", "17 18"],
  ["BG", "150 160 166"],
  ["BH", "199 999"],
  ["BI", "113 117"],
  ["BJ", "114 116 117 118"],
  ["BL FR GF GP MF MQ PM RE YT", "114 115 119 15 17 18 191 196 197"],
  ["BN", "991 993 995"],
  ["BO JP", "110 118 119"],
  ["BR", "128 190 192 193"],
  ["BS SX", "919"],
  ["BT NO SJ SY", "110 113"],
  ["BW", "111 997 998 999"],
  ["BZ", "90 990"],
  ["CD", "113 114 118 177 188"],
  ["CF", "117 118 1220"],
  ["CG GN", "117 118"],
  ["CH LI", "117 118 1414 144"],
  ["CI", "110 111 170 180 185"],
  ["CK", "996 998 999"],
  ["CL", "131 132 133"],
  ["CM", "113 117 13 17"],
  ["CN", "110 119 120 122"],
  ["CO", "119 123 132 156"],
  ["CU", "104 105 106"],
  ["CV", "130 131 132"],
  ["CY HN MM NG", "199"],
  ["CZ", "150 151 152 153 154 155 156 157 158 159"],
  ["DE EE", "110"],
  ["DK FO", "114"],
  ["DM KN", "333 999"],
  ["DZ", "14 17"],
  ["EC", "101 102"],
  ["EG", "122 123 180"],
  ["EH MA", "15 177 19"],
  ["ER", "113 114 116"],
  ["ES", "061 062 080 085 088 091 092"],
  ["ET", "907 91 92 93 939 991 997"],
  ["FJ", "917"],
  ["GA", "13XX 1730 18"],
  ["GE", "011 022 033 111 113 122"],
  ["GH", "191 192 193 999"],
  ["GI", "190 199"],
  ["GM", "116 117 118 16 17 18"],
  ["GR", "100 108 166 199"],
  ["GT", "110 120 123"],
  ["GW", "113 117 118"],
  ["GY", "912 913"],
  ["HK", "992 999"],
  ["HR", "192 193 194 93 94"],
  ["HT", "114 118"],
  ["HU", "104 105 107"],
  ["ID", "110 113 118 119"],
  ["IL PS", "100 101 102"],
  ["IN", "100 101 102 108 1298 2611"],
  ["IQ", "100 104 115 122"],
  ["IR", "110 115 125"],
  ["IT", "113 115 117 118"],
  ["JM TW", "110 119"],
  ["JO", "191 192 197"],
  ["KE", "114 999"],
  ["KH", "117 118 119 666"],
  ["KI", "192 193 194 195 992 993 994"],
  ["KP", "119 819"],
  ["KR", "113 119"],
  ["LA", "190 191 195"],
  ["LB", "140 175 999"],
  ["LK", "110 116 118 119"],
  ["LR", "355"],
  ["LS", "115 117"],
  ["LT", "01 011 02 022 03 033 101 102 103"],
  ["LU SI", "113"],
  ["LV", "01 02 03 110 113"],
  ["LY", "190 191 193"],
  ["MC ML PF WF", "15 17 18"],
  ["NE", "118 15 17 18"],
  ["MD", "901 902 903"],
  ["MG", "117 118 17 18"],
  ["MK XK", "192 193 194"],
  ["MN", "100 101 102 103 105"],
  ["MU", "114 115 995 999"],
  ["MV", "102 118 119"],
  ["MW", "199 997 998 999"],
  ["MX", "060 065 066 068 080"],
  ["MZ", "117 119 197 198"],
  ["NA", "10111"],
  ["NC", "15 16 17 18"],
  ["NF", "955 977"],
  ["NI", "115 118 120 128"],
  ["NP", "100 101 102 103"],
  ["NR", "110 111"],
  ["NZ RW", "111"],
  ["OM", "1444 9999"],
  ["PE", "105 116 117"],
  ["PG", "000 110 111"],
  ["PH", "117"],
  ["PK", "1122 115 15 16"],
  ["PT SR TL", "115"],
  ["PY UY", "128"],
  ["RS", "92 93 94"],
  ["RU", "01 02 03 101 102 103"],
  ["SA", "997 999"],
  ["SE", "90000"],
  ["SG", "993 995 999"],
  ["SK", "150 155 158"],
  ["SL", "019 999"],
  ["SM VA", "113 115 118"],
  ["SO", "555 888 999"],
  ["SV", "913"],
  ["TG", "117 118 171 172 177"],
  ["TH", "1669 191 199"],
  ["TM", "01 02 03"],
  ["TN", "190 197 198"],
  ["TO", "922 933 999"],
  ["TR", "110 155"],
  ["TT", "990 999"],
  ["TZ", "110 111 114 115 999"],
  ["UZ", "001 002 003 01 02 03 050"],
  ["VE", "171"],
  ["VN", "113 114 115"],
  ["WS", "994 995 996 999"],
  ["YE", "191 194 195 199"],
  ["ZA", "10111 10177"],
  ["ZM", "991 993 999"],
  ["ZW", "993 994 995 999"],
];

const codesOf = new Map<string, Set<string>>();
for (const [countries, codes] of table) {
  const known = new Set([...everywhere, ...codes.split(" ").flatMap(allOf)]);
  for (const country of countries.split(" ")) codesOf.set(country, known);
}

function allOf(code: string): readonly string[] {
  return code.includes("X") ? "0123456789".split("").flatMap((digit) => allOf(code.replace("X", digit))) : [code];
}

const fallback = new Set([...everywhere, ...unknownCountry]);
const common = new Set(everywhere);

/** True if these digits, dialled just so in the country (ISO 3166-1 alpha-2), call for help. */
export function isEmergencyCode(digits: string, country: string | undefined): boolean {
  return (country === undefined ? fallback : (codesOf.get(country) ?? common)).has(digits);
}

/** Dialled without a mark before a number to hide or to show the caller's: `141 999` in Britain. */
const presentationCodes: readonly (readonly [countries: string, codes: string])[] = [
  ["GB GG IM JE", "1470 141"],
  ["IE", "141 142"],
  ["AU CC CX", "1831 1832"],
  ["CA US", "1167 1182"],
  ["HK", "133"],
  ["NZ", "0196 0197"],
];

/** What follows such a code, else the digits as they are. */
export function behindPresentationCode(digits: string, country: string | undefined): string {
  for (const [countries, codes] of presentationCodes) {
    if (country === undefined || !countries.split(" ").includes(country)) continue;
    const code = codes.split(" ").find((candidate) => digits.startsWith(candidate));
    if (code !== undefined) return digits.slice(code.length);
  }
  return digits;
}
