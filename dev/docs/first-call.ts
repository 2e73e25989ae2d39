// How long the quick start takes to the first call: what the machine needs is measured, and what a person needs is allowed for.
export interface FirstCall {
  readonly steps: number;
  readonly commands: number;
  /** Answers that are typed. */
  readonly answers: number;
  /** Questions for which Enter takes what stands there. */
  readonly enters: number;
  /** Places into which lines are pasted. */
  readonly pastes: number;
  /** Without `npm ci`. */
  readonly machineSeconds: number;
}

/** In seconds, for whoever reads along. */
const allowances = { command: 10, answer: 8, enter: 3, paste: 40, dial: 10, download: 60 };

export function totalSeconds({ commands, answers, enters, pastes, machineSeconds }: FirstCall): number {
  const { command, answer, enter, paste, dial, download } = allowances;
  const people = commands * command + answers * answer + enters * enter + pastes * paste + dial;
  return people + download + machineSeconds;
}

const [start, end] = ["<!-- first call, measured -->\n", "<!-- end of what is measured -->"];

/** The README with these figures between its marks. */
export function withFirstCall(readme: string, figures: FirstCall): string {
  const [before, after] = [readme.indexOf(start), readme.indexOf(end)];
  if (before < 0 || after < before) throw new Error("the README has no place for the figures of the first call");
  return readme.slice(0, before + start.length) + words(figures) + readme.slice(after);
}

function words(figures: FirstCall): string {
  const { steps, commands, answers, enters, pastes, machineSeconds } = figures;
  const { command, answer, enter, paste, dial, download } = allowances;
  const total = totalSeconds(figures);
  const minutes = `${Math.floor(total / 60)} min ${String(total % 60).padStart(2, "0")} s`;
  return `**From a clone to the first call: ${steps} steps, ${minutes}.** A test follows the quick start with a real Synapse and a real telephone
until both sides hear each other. The machine took ${machineSeconds} s. Added to that are, for the person, ${command} s for each of ${commands} commands, ${answer} s for
each of ${answers} typed answers, ${enter} s for each of ${enters} times Enter, ${paste} s for each of ${pastes} places to paste lines, ${dial} s to dial, and ${download} s for
\`npm ci\`.
`;
}

/** What the README claims. */
export function readFirstCall(readme: string): FirstCall {
  const text = readme.slice(readme.indexOf(start), readme.indexOf(end)).replaceAll(/\s+/g, " ");
  const number = (pattern: RegExp): number => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error(`the README does not say ${pattern.source}`);
    return Number(found);
  };
  return {
    steps: number(/(\d+) steps/),
    commands: number(/(\d+) commands/),
    answers: number(/(\d+) typed answers/),
    enters: number(/(\d+) times Enter/),
    pastes: number(/(\d+) places/),
    machineSeconds: number(/machine took (\d+) s/),
  };
}
