// Percent-encoding as Synapse writes it to an application service: Python's quote()
// and urlencode(). They encode more than encodeURIComponent does.

/** `quote(text)`: `/` and the unreserved characters stand, all else is `%HH`. */
export function quotePath(text: string): string {
  return quoteAll(text).replaceAll("%2F", "/");
}

/** `urlencode(pairs)`: a space becomes `+`, a plus `%2B`, a star `%2A`. */
export function encodeForm(pairs: Iterable<readonly [string, string]>): string {
  return [...pairs].map((pair) => pair.map((part) => quoteAll(part).replaceAll("%20", "+")).join("=")).join("&");
}

function quoteAll(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
