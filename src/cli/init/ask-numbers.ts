// Which numbers ring whom, and who may call.
import { parseRing, toNumberEntry, toPermissions, words, type Ring } from "../../config/setup/choices.ts";
import { problemAt } from "../../config/setup/check-answer.ts";
import type { Setting, Settings } from "../../config/writing/commented.ts";
import type { InitFlags } from "./flags.ts";
import { UsageError, type Interview } from "./interview.ts";

/** What an entry is held against: the configuration as far as it is known. */
export interface NumberContext {
  readonly domain: string;
  readonly country: string;
  readonly trunk: string;
  /** Those that are there already. */
  readonly numbers: readonly Setting[];
}

/** Asks until somebody has no more of them. */
export async function askRings(
  flags: InitFlags,
  interview: Interview,
  context: NumberContext,
): Promise<readonly Ring[]> {
  const rings: Ring[] = [];
  const add = (ring: Ring): string | undefined => {
    const problem = wrongRing([...rings, ring], context);
    if (problem === undefined) rings.push(ring);
    return problem;
  };
  for (const text of flags.ring ?? []) {
    const ring = parseRing(text);
    const problem =
      ring === undefined ? "should be NUMBER=USER, NUMBER=USER,USER or NUMBER=ROOM" : add(withDomain(ring, context));
    if (problem !== undefined) throw new UsageError(`--ring ${text}: ${problem}`);
  }
  if (!interview.isDialogue || flags.ring !== undefined) return rings;
  for (;;) {
    const called = await interview.ask({
      flag: "--ring",
      given: undefined,
      words:
        rings.length === 0
          ? "Which number rings somebody when it is called? (+ and country code; * for every number; empty: none)"
          : "Which other number? (empty: no more)",
      isOptional: true,
      check: (answer) => wrongRing([...rings, { called: answer, who: [`@somebody:${context.domain}`] }], context),
    });
    if (called === "") return rings;
    await interview.ask({
      flag: "--ring",
      given: undefined,
      words: `Whom does ${called} ring? (user ids, or the id of a room)`,
      check: (answer) => add(withDomain({ called, who: words(answer) }, context)),
    });
  }
}

/** People of the homeserver can be named without it: `alice`, `@alice`. */
function withDomain({ called, who }: Ring, { domain }: NumberContext): Ring {
  return {
    called,
    who: who.map((one) => (/^@?[a-z0-9._=/+-]+$/.test(one) ? `@${one.replace("@", "")}:${domain}` : one)),
  };
}

function wrongRing(rings: readonly Ring[], { domain, country, trunk, numbers }: NumberContext): string | undefined {
  const settings: Settings = {
    homeserver: { url: "http://localhost", domain },
    dial_plan: { country },
    trunks: [{ name: trunk, server: "localhost" }],
    inbound: { numbers: [...numbers, ...rings.map((ring) => toNumberEntry(ring, trunk))] },
  };
  return problemAt(["inbound", "numbers", numbers.length + rings.length - 1], settings);
}

/** There is no default without a person to confirm it: calls cost money. */
export async function askAllowed(
  flags: InitFlags,
  interview: Interview,
  { domain }: Pick<NumberContext, "domain">,
  rings: readonly Ring[],
): Promise<string> {
  const people = [...new Set(rings.flatMap(({ who }) => who.filter((one) => one.startsWith("@"))))];
  return interview.ask({
    flag: "--allow",
    given: flags.allow,
    words: `Who may call telephones, at your expense? (user ids, ${domain} for everybody there, or nobody)`,
    fallback: interview.isDialogue && people.length > 0 ? people.join(" ") : undefined,
    check: (answer) =>
      problemAt(["permissions"], {
        homeserver: { url: "http://localhost", domain },
        permissions: toPermissions(answer),
      }),
  });
}
