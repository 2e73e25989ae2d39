// Splits a long text into parts of the trunk's length, each with its number in front. Never splits a character, and a
// word only if it must.

/** As people see them: an emoji of several code points is one. */
const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Two digits for each number: more parts than 99 nobody sends, an event holds no more than 64 KiB. */
const numberingLength = "(99/99) ".length;

/** Parts of at most `maxLength` characters (Unicode code points), numbering included; the text itself where it is short enough. */
export function partsOf(text: string, maxLength: number): readonly string[] {
  if (lengthOf(text) <= maxLength) return [text];
  const pieces: string[] = [];
  const room = Math.max(1, maxLength - numberingLength);
  for (let rest = text; rest !== "";) {
    const piece = beginning(rest, room);
    pieces.push(piece.trimEnd());
    rest = rest.slice(piece.length).trimStart();
  }
  return pieces.map((piece, index) => `(${index + 1}/${pieces.length}) ${piece}`);
}

/** As much as fits, up to a space if there is one in the second half. */
function beginning(text: string, room: number): string {
  let end = 0;
  let length = 0;
  let afterSpace = 0;
  for (const { segment } of letters.segment(text)) {
    length += lengthOf(segment);
    if (length > room) {
      // What no part can hold as one letter goes alone, and longer than it should be.
      if (end === 0) return segment;
      return text.slice(0, afterSpace > end / 2 ? afterSpace : end);
    }
    end += segment.length;
    if (/^\s/.test(segment)) afterSpace = end;
  }
  return text;
}

function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}
