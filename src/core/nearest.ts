// The known word that a mistyped one was probably meant to be.

/** Optimal string alignment: insertions, deletions, replacements and swapped neighbours each cost one. */
function distance(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= one.length; row += 1) {
    rows[row] = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1] ? 0 : 1;
      const swapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      const costs = [at(row - 1, column) + 1, at(row, column - 1) + 1, at(row - 1, column - 1) + same];
      if (swapped) costs.push(at(row - 2, column - 2) + 1);
      rows[row]?.push(Math.min(...costs));
    }
  }
  return at(one.length, other.length);
}

const separators = /[-_ ]/g;

/** undefined where none is near: more than a third of the letters would be other ones. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const bare = word.slice(0, 64).toLowerCase().replaceAll(separators, "");
  let best: { readonly name: string; readonly cost: number } | undefined;
  for (const name of known) {
    const candidate = name.toLowerCase().replaceAll(separators, "");
    const contained = bare.length >= 4 && (candidate.includes(bare) || bare.includes(candidate));
    const cost = contained ? 1 : distance(bare, candidate);
    if (cost <= candidate.length / 3 && (!best || cost < best.cost)) best = { name, cost };
  }
  return best?.name;
}
