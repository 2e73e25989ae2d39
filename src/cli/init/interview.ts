// Where answers come from: flags first, then whoever sits at the terminal, then defaults. Each is checked before the next question.
import type { Terminal } from "../terminal.ts";
import { openPrompt, type Prompt } from "./prompt.ts";

interface Question {
  /** That answers it without asking: `--domain`. */
  readonly flag: string;
  /** What the flag said. */
  readonly given: string | undefined;
  readonly words: string;
  readonly fallback?: string | undefined;
  /** An empty answer is one. */
  readonly isOptional?: boolean;
  /** What is wrong with an answer. */
  readonly check?: (answer: string) => string | undefined;
}

interface Option {
  readonly id: string;
  readonly title: string;
}

export interface Interview {
  readonly isDialogue: boolean;
  /** For the person at the terminal. */
  readonly say: (text: string) => void;
  readonly ask: (question: Question) => Promise<string>;
  /** As `ask`, without showing what is typed. */
  readonly askSecretly: (question: Question) => Promise<string>;
  /** Says of questions to come that they have no default, so that all that is missing is named at once. */
  readonly expect: (questions: readonly Pick<Question, "flag" | "given" | "words">[]) => void;
  /** One of the options. */
  readonly choose: <Choice extends Option>(question: Question, options: readonly Choice[]) => Promise<Choice>;
  /** Throws UsageError if something is still unanswered. */
  readonly finish: () => void;
  readonly close: () => void;
}

/** The command line lacks something, or something in it is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function openInterview(terminal: Terminal, asks: boolean): Interview {
  const prompt = asks && terminal.dialogue !== undefined ? openPrompt(terminal.dialogue) : undefined;
  return prompt === undefined ? flagsAlone() : atTerminal(prompt);
}

function checked({ flag, given, check }: Question): string | undefined {
  if (given === undefined) return undefined;
  const problem = check?.(given);
  if (problem !== undefined) throw new UsageError(`${flag}: ${problem}`);
  return given;
}

function flagsAlone(): Interview {
  /** By the flag. */
  const missing = new Map<string, string>();
  const miss = (flag: string, words: string): void => void missing.set(flag, `${flag} is needed: ${words}`);
  const ask = async (question: Question): Promise<string> => {
    const { flag, words, fallback, isOptional, check } = question;
    const given = checked(question);
    if (given !== undefined) return given;
    if (fallback !== undefined && check?.(fallback) === undefined) return fallback;
    if (isOptional !== true) miss(flag, words);
    return "";
  };
  const finish = (): void => {
    if (missing.size > 0) throw new UsageError([...missing.values()].join("\nerror: "));
  };
  return {
    isDialogue: false,
    say: () => {},
    ask,
    askSecretly: ask,
    async choose(question, options) {
      const words = `${question.words} (${options.map(({ id }) => id).join(", ")})`;
      const answer = await ask({ ...question, words, check: (text) => wrongChoice(text, options) });
      const found = options.find(({ id }) => id === answer);
      if (found !== undefined) return found;
      // What is asked next depends on it.
      finish();
      throw new UsageError(`${question.flag} is needed`);
    },
    expect(questions) {
      for (const { flag, given, words } of questions) if (given === undefined) miss(flag, words);
    },
    finish,
    close: () => {},
  };
}

function atTerminal(prompt: Prompt): Interview {
  const repeat = async (question: Question, read: (words: string) => Promise<string>): Promise<string> => {
    const given = checked(question);
    if (given !== undefined) return given;
    const { words, fallback, isOptional, check } = question;
    const shown = `\n${words}${fallback === undefined ? "" : ` [${fallback}]`}\n> `;
    for (;;) {
      const typed = await read(shown);
      const answer = typed === "" ? (fallback ?? "") : typed;
      const problem =
        answer !== ""
          ? check?.(answer)
          : isOptional === true
            ? undefined
            : "An answer is needed. Ctrl-C ends without writing anything.";
      if (problem === undefined) return answer;
      prompt.say(`  ${problem}\n`);
    }
  };
  const ask = (question: Question): Promise<string> => repeat(question, prompt.line);
  return {
    isDialogue: true,
    say: prompt.say,
    ask,
    askSecretly: (question) => repeat(question, prompt.secret),
    async choose(question, options) {
      const list = options.map(({ title }, index) => `  ${index + 1}  ${title}`).join("\n");
      const find = (text: string) => options.find(({ id }, index) => text === id || text === String(index + 1));
      const answer = await ask({
        ...question,
        words: `${question.words}\n${list}\nNumber or name:`,
        check: (text) => (find(text.toLowerCase()) === undefined ? wrongChoice(text, options) : undefined),
      });
      const found = find(answer.toLowerCase());
      if (found === undefined) throw new UsageError(`${question.flag}: ${wrongChoice(answer, options) ?? "is wrong"}`);
      return found;
    },
    expect: () => {},
    finish: () => {},
    close: prompt.close,
  };
}

function wrongChoice(text: string, options: readonly Option[]): string | undefined {
  const ids = options.map(({ id }) => id);
  return ids.includes(text) ? undefined : `should be one of ${ids.join(", ")}`;
}
