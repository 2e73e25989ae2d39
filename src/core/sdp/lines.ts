// A peer's SDP cut into lines that can be read one by one: line ends of any kind, empty lines, spaces too many and media
// lines written in other legal ways are put right here. What a line means is description.ts's business.

const maxLineLength = 2048;
const maxFormats = 128;
const kindForm = /^[a-z]{1,32}$/;
const protocolForm = /^[A-Za-z0-9/]{1,32}$/;
const formatForm = /^[\x21-\x7e]{1,64}$/;

/** The lines of a description from `v=` on; undefined where it has none before its first section. */
export function descriptionLines(text: string): readonly string[] | undefined {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line.startsWith("m=") || (line !== "" && line.length <= maxLineLength));
  const firstSection = lines.findIndex((line) => line.startsWith("m="));
  const session = firstSection < 0 ? lines : lines.slice(0, firstSection);
  if (!session.some((line) => /^v=\s*0$/.test(line))) return undefined;
  return lines.map((line) => {
    if (line.startsWith("m=")) return mediaLine(line.slice(0, maxLineLength).slice(2));
    return line.startsWith("c=") ? connectionLine(line.slice(2)) : line;
  });
}

/** `c=IN IP4 <address>` (RFC 8866 s5.7). A TTL belongs to multicast alone, and brackets to URIs; both are sent here too. */
function connectionLine(value: string): string {
  const [network = "", family = "", address = "", ...rest] = value.trim().split(/\s+/);
  const plain = address.replace(/^\[(.*)\]$/, "$1").replace(/^([\d.]+)\/\d{1,3}$/, "$1");
  return `c=${[network.toUpperCase(), family.toUpperCase(), plain, ...rest].join(" ")}`;
}

/**
 * `m=<media> <port>[/<number of ports>] <proto> <fmt> ...` (RFC 8866 s5.14). Of several ports the first is ours to use.
 * An answer has to name every section of its offer (RFC 3264 s6), so one that cannot be read keeps its place: as one that
 * is not wanted (port 0).
 */
function mediaLine(value: string): string {
  const [kind = "", ports = "", protocol = "", ...formats] = value.trim().split(/\s+/);
  const port = /^(\d{1,9})(?:\/\d{1,9})?$/.exec(ports)?.[1];
  const readable = formats.filter((format) => formatForm.test(format)).slice(0, maxFormats);
  const isWhole = kindForm.test(kind) && port !== undefined && protocolForm.test(protocol) && readable.length > 0;
  return [
    `m=${kindForm.test(kind) ? kind : "application"}`,
    isWhole ? Number(port) : 0,
    protocolForm.test(protocol) ? protocol : "RTP/AVP",
    readable.length > 0 ? readable.join(" ") : "0",
  ].join(" ");
}
