// The comments of configuration files: descriptions of the schema, wrapped.

const width = 118;

/** The lines of a comment, each with its `indent`; none for an empty text. */
export function commentLines(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > width && line !== `${indent}#`) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return text === "" ? [] : [...lines, line];
}
