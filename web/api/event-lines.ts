// Server-Sent Events out of the pieces in which they come (WHATWG HTML, 9.2.6), as far as the bridge uses them. Pure.

export interface EventLines {
  /** The data of the events that the piece completes. */
  take(piece: string): readonly string[];
}

export function createEventLines(): EventLines {
  let rest = "";
  let data: string[] = [];
  return {
    take(piece) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      return lines.flatMap((line) => {
        if (line !== "") {
          if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
          return [];
        }
        const whole = data;
        data = [];
        return whole.length === 0 ? [] : [whole.join("\n")];
      });
    },
  };
}
