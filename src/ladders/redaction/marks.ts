// Telephone numbers in redacted text stand between two control characters, which nothing else there contains. So they can be
// shown masked or whole later.

const open = "\u0001";
const close = "\u0002";
// oxlint-disable-next-line no-control-regex -- they are the marks
const marked = /\u0001([^\u0002]*)\u0002/g;
// oxlint-disable-next-line no-control-regex -- control characters are what is replaced
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Nobody's text can hold a mark of ours, or give a terminal orders. */
export function withoutControl(text: string): string {
  return text.replaceAll(control, "?");
}

export function asNumber(text: string): string {
  return /\d/.test(text) ? `${open}${text}${close}` : text;
}

/** `show` gives each number as it may be seen. */
export function unmarked(text: string, show: (number: string) => string): string {
  return text.includes(open) ? text.replaceAll(marked, (_, number: string) => show(number)) : text;
}

/** JSON writes marks as escapes. */
export function marksInJson(json: string): string {
  return json.replaceAll(String.raw`\u0001`, open).replaceAll(String.raw`\u0002`, close);
}
