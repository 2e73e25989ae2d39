// What a PromQL expression names: metrics, labels, and the values that it asks of them. No grammar: Prometheus has that.

interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Named {
  readonly selectors: readonly Selector[];
  /** Of `by`, `on` and the like. */
  readonly groupedBy: readonly string[];
  readonly functions: readonly string[];
}

const words: ReadonlySet<string> = new Set(["and", "or", "unless", "bool", "offset"]);
const grouping: ReadonlySet<string> = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);
const token = /"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[A-Za-z_:][\w:]*|[\d.]+\w*|[=!]~|[=!<>]=|[-+*/%^=<>(){},]|\S/g;
const isName = (text: string | undefined): text is string => text !== undefined && /^[A-Za-z_:]/.test(text);

/** Throws where a bracket is missing, or a character has no place in PromQL. */
export function namedIn(expression: string): Named {
  const tokens = expression.match(token) ?? [];
  let at = 0;
  const wrong = (): never => {
    throw new Error(`cannot read ${tokens[at] ?? "the end"} in ${expression}`);
  };
  const take = (): string => tokens[at++] ?? wrong();
  const expect = (text: string): void => {
    if (tokens[at] !== text) wrong();
    at += 1;
  };

  const list = (close: string, item: () => void): void => {
    while (tokens[at] !== close) {
      item();
      if (tokens[at] !== close) expect(",");
    }
    expect(close);
  };
  const name = (): string => (isName(tokens[at]) ? take() : wrong());

  const selectors: Selector[] = [];
  const groupedBy: string[] = [];
  const functions: string[] = [];
  const matchersHere = (): readonly Matcher[] => {
    const matchers: Matcher[] = [];
    if (tokens[at] !== "{") return matchers;
    at += 1;
    list("}", () => {
      const label = name();
      const operator = /^(?:=|!=|=~|!~)$/.test(tokens[at] ?? "") ? take() : wrong();
      const value = tokens[at]?.startsWith('"') === true ? take().slice(1, -1) : wrong();
      matchers.push({ label, operator, value });
    });
    return matchers;
  };

  let open = 0;
  while (at < tokens.length) {
    const text = take();
    if (text === "(") open += 1;
    else if (text === ")") open -= 1;
    else if (grouping.has(text)) {
      expect("(");
      list(")", () => void groupedBy.push(name()));
    } else if (words.has(text)) continue;
    else if (isName(text)) {
      if (tokens[at] === "(" || tokens[at] === "by" || tokens[at] === "without") functions.push(text);
      else selectors.push({ metric: text, matchers: matchersHere() });
    } else if (!/^(?:[\d.]+|\[[\w$]+\]|[-+*/%^,<>]|[=!<>]=)$/.test(text)) {
      at -= 1;
      wrong();
    }
    if (open < 0) wrong();
  }
  if (open !== 0) wrong();
  return { selectors, groupedBy, functions };
}
