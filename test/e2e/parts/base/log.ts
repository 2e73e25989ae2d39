// What one part said: kept in memory for waiting and for a failure's report, and in a file for later.
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { patienceMs } from "../../../../dev/loopback/patience.ts";
import { NotInTime } from "./until.ts";

/** The output of one part, in the order it came. */
export class Log {
  readonly name: string;
  readonly file: string;
  #text = "";
  readonly #watchers = new Set<() => void>();

  constructor(name: string, file: string) {
    this.name = name;
    this.file = file;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "");
  }

  get text(): string {
    return this.#text;
  }

  append(text: string): void {
    this.#text += text;
    appendFileSync(this.file, text);
    for (const watch of this.#watchers) watch();
  }

  /** Each whole line, from the first one on. */
  eachLine(take: (line: string) => void): void {
    let from = 0;
    const watch = (): void => {
      for (let end = this.#text.indexOf("\n", from); end >= 0; end = this.#text.indexOf("\n", from)) {
        take(this.#text.slice(from, end));
        from = end + 1;
      }
    };
    this.#watchers.add(watch);
    watch();
  }

  /** The last lines, under a heading that names the part and the file. */
  tail(lines = 40): string {
    const last = this.#text.trimEnd().split("\n").slice(-lines).join("\n");
    return `--- ${this.name} (${this.file})\n${last}`;
  }

  /**
   * The first match of `pattern` in what was or will be said.
   * @param from index into `text` where the search begins: `log.text.length` for only what is new
   * @throws {NotInTime} with the tail of the log; or what `over` is rejected with
   */
  async waitFor(
    pattern: RegExp,
    { timeoutMs = patienceMs, from = 0, over }: { timeoutMs?: number; from?: number; over?: Promise<never> } = {},
  ): Promise<RegExpExecArray> {
    const search = new RegExp(pattern.source, pattern.flags.replace("g", ""));
    let watch: (() => void) | undefined;
    let timer: NodeJS.Timeout | undefined;
    const seen = new Promise<RegExpExecArray>((resolve, reject) => {
      watch = () => {
        const match = search.exec(this.#text.slice(from));
        if (match !== null) resolve(match);
      };
      this.#watchers.add(watch);
      timer = setTimeout(() => {
        reject(new NotInTime(`${String(pattern)} from ${this.name}\n${this.tail()}`, timeoutMs));
      }, timeoutMs);
      watch();
    });
    try {
      return await (over === undefined ? seen : Promise.race([seen, over]));
    } finally {
      clearTimeout(timer);
      if (watch !== undefined) this.#watchers.delete(watch);
    }
  }
}
