// Questions on a terminal, one line each, by node:readline: no screen is drawn, so that it works over any connection and can be
// read aloud.
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import type { Dialogue } from "../terminal.ts";

/** Ctrl-C, Ctrl-D, or the end of the input. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

export interface Prompt {
  readonly say: (text: string) => void;
  /** One line, without what stands around it. Rejects with Interrupted. */
  readonly line: (words: string) => Promise<string>;
  /** As `line`, without showing what is typed. */
  readonly secret: (words: string) => Promise<string>;
  readonly close: () => void;
}

export function openPrompt({ input, output }: Dialogue): Prompt {
  let isHidden = false;
  const screen = new Writable({
    write(chunk: Buffer | string, _, done) {
      if (!isHidden) output.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input, output: screen, terminal: true, historySize: 0 });
  let isOver = false;
  let giveUp: ((error: Interrupted) => void) | undefined;
  const interrupt = (): void => {
    isOver = true;
    giveUp?.(new Interrupted("interrupted"));
  };
  // Ctrl-C and Ctrl-D close it.
  lines.on("close", interrupt);
  const line = (words: string): Promise<string> =>
    new Promise((resolve, reject) => {
      if (isOver) return reject(new Interrupted("interrupted"));
      giveUp = reject;
      lines.question(words, (answer) => resolve(answer.trim()));
    });
  return {
    say: (text) => void output.write(text),
    line,
    async secret(words) {
      output.write(words);
      isHidden = true;
      try {
        return await line("");
      } finally {
        isHidden = false;
        output.write("\n");
      }
    },
    close() {
      giveUp = undefined;
      lines.close();
    },
  };
}
