// A session description as ladders show it: addresses, ports, codecs, directions. Its keys, passwords, names and all lines that
// nobody knows are left out.
import { codecs, formatParameters, suites } from "./words.ts";

const removed = "[removed]";
/** In the place of a key, in base64: programs that read captures would find anything else malformed. */
const removedKey = "removed+".repeat(5);
const address = /^(?:IN IP[46] [0-9A-Za-z:.%-]{1,64}(?:\/\d+)*)$/;
const candidate =
  /^(?<kept>[\w+/]{1,32} \d{1,5} (?:udp|tcp) \d{1,10} (?:[0-9A-Fa-f:.]{2,45}|[0-9A-Fa-f-]{36}\.local) \d{1,5} typ (?:host|srflx|prflx|relay)(?: raddr [0-9A-Fa-f:.]{2,45} rport \d{1,5})?(?: tcptype (?:active|passive|so))?)(?<rest>.*)$/i;
const directions = /^(?:sendrecv|sendonly|recvonly|inactive|rtcp-mux|rtcp-rsize|ice-lite|end-of-candidates)$/;
const mid = /^(?:\d{1,3}|audio|video|data|audio\d|video\d)$/;

function shownFormat(text: string): string {
  const [type = "", ...rest] = text.split(" ");
  const value = rest.join(" ");
  if (/^[0-9,-]{1,20}$|^\d{1,3}(?:\/\d{1,3}){1,3}$/.test(value)) return `fmtp:${type} ${value}`;
  const pieces = value.split(";").map((piece) => piece.trim());
  const kept = pieces.filter((piece) => {
    const [name = "", setting = ""] = piece.split("=");
    return formatParameters.has(name.toLowerCase()) && /^(?:\d{1,7}|yes|no)$/.test(setting);
  });
  return `fmtp:${type} ${[...kept, ...(kept.length < pieces.length ? ["left-out"] : [])].join(";")}`;
}

/** The value of an `a=` line; undefined: it is left out. */
function shownAttribute(text: string): string | undefined {
  if (directions.test(text)) return text;
  const colon = text.indexOf(":");
  const name = text.slice(0, colon);
  const value = text.slice(colon + 1).trim();
  switch (name) {
    case "rtpmap": {
      const [type = "", encoding = ""] = value.split(" ");
      const [codec = "", ...rate] = encoding.split("/");
      const isKnown = codecs.has(codec.toUpperCase()) && rate.every((part) => /^\d{1,6}$/.test(part));
      return /^\d{1,3}$/.test(type) && isKnown ? `rtpmap:${type} ${encoding}` : undefined;
    }
    case "fmtp":
      return /^\d{1,3} /.test(value) ? shownFormat(value) : undefined;
    case "ptime":
    case "maxptime":
      return /^\d{1,4}$/.test(value) ? text : undefined;
    case "rtcp":
      return /^\d{1,5}$/.test(value.split(" ")[0] ?? "") &&
        (!value.includes(" ") || address.test(value.slice(value.indexOf(" ") + 1)))
        ? text
        : undefined;
    case "setup":
      return /^(?:active|passive|actpass|holdconn)$/.test(value) ? text : undefined;
    case "mid":
      return mid.test(value) ? text : undefined;
    case "group":
      return /^BUNDLE(?: \S+)*$/.test(value) &&
        value
          .split(" ")
          .slice(1)
          .every((one) => mid.test(one))
        ? text
        : undefined;
    case "fingerprint":
      return /^sha-\d{1,3} (?:[0-9A-Fa-f]{2}:){15,63}[0-9A-Fa-f]{2}$/i.test(value) ? text : undefined;
    case "candidate":
      return shownCandidate(text);
    case "ice-ufrag":
    case "ice-pwd":
      return `${name}:${removed}`;
    case "crypto": {
      const [tag = "", suite = ""] = value.split(" ");
      return /^\d{1,9}$/.test(tag) && suites.has(suite)
        ? `crypto:${tag} ${suite} inline:${removedKey}`
        : `crypto:${removed}`;
    }
    default:
      return undefined;
  }
}

/** `candidate:…`, as in SDP and in Matrix. */
export function shownCandidate(text: string): string | undefined {
  const kept = /^candidate:(.*)$/s.exec(text)?.[1];
  const groups = kept === undefined ? undefined : candidate.exec(kept.trim())?.groups;
  return groups === undefined ? undefined : `candidate:${groups["kept"] ?? ""}`;
}

function shownLine(line: string): string | undefined {
  const value = line.slice(2);
  switch (line.slice(0, 2)) {
    case "v=":
      return /^\d$/.test(value) ? line : undefined;
    case "o=": {
      const [, session = "", version = "", ...at] = value.split(" ");
      const isForm = [session, version].every((part) => /^\d{1,20}$/.test(part)) && address.test(at.join(" "));
      return isForm ? `o=- ${session} ${version} ${at.join(" ")}` : undefined;
    }
    case "s=":
      return "s=-";
    case "c=":
      return address.test(value) ? line : undefined;
    case "t=":
      return /^\d{1,12} \d{1,12}$/.test(value) ? line : undefined;
    case "b=":
      return /^(?:AS|TIAS|CT|RS|RR):\d{1,9}$/.test(value) ? line : undefined;
    case "m=":
      return /^(?:audio|video|image|application|text) \d{1,5}(?:\/\d)? [A-Z/0-9]{1,24}(?: (?:\d{1,3}|t38|webrtc-datachannel))*$/.test(
        value,
      )
        ? line
        : undefined;
    case "a=": {
      const shown = shownAttribute(value);
      return shown && `a=${shown}`;
    }
    default:
      return undefined;
  }
}

const longest = 65_536;

export function shownSdp(sdp: string): string {
  const lines = sdp
    .slice(0, longest)
    .split(/\r\n|\r|\n/)
    .filter((line) => line !== "");
  const shown = lines.flatMap((line) => shownLine(line) ?? []);
  const leftOut = lines.length - shown.length;
  return [...shown, ...(leftOut > 0 ? [`a=x-left-out:${leftOut}`] : [])].map((line) => `${line}\r\n`).join("");
}
