// A telephone made of nothing but sockets and strings, to see what the gateway puts on the wire.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { patienceMs } from "../../dev/loopback/patience.ts";
import { bind } from "../../dev/loopback/listen.ts";

interface RawMessage {
  readonly text: string;
  readonly startLine: string;
  /** 0 in a request. */
  readonly status: number;
  readonly body: string;
  readonly toTag: string | undefined;
  /** Of the first header of that name. */
  header(name: string): string | undefined;
}

interface RequestParts {
  readonly uri?: string;
  readonly cseq?: number;
  readonly branch?: string;
  readonly toTag?: string | undefined;
  readonly fromTag?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

export interface RawPeer {
  readonly sipCallId: string;
  readonly received: readonly RawMessage[];
  /** What was sent, so that it can be sent again. */
  request(method: string, parts?: RequestParts): string;
  send(text: string): void;
  /** The first message, from the `skip`th on, that `look` accepts. */
  until(look: (message: RawMessage) => boolean, skip?: number): Promise<RawMessage>;
  status(status: number, cseq?: string): Promise<RawMessage>;
  /** Answers a request of the gateway's; a BYE is answered unasked. */
  answer(request: RawMessage, status: string, body?: string): void;
  close(): void;
}

function readMessage(text: string): RawMessage {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const lines = head.split("\r\n");
  const startLine = lines[0] ?? "";
  const header = (name: string): string | undefined =>
    lines.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))?.replace(/^[^:]*:\s*/, "");
  return {
    text,
    startLine,
    status: Number(/^SIP\/2\.0 (\d+)/.exec(startLine)?.[1] ?? 0),
    body: rest.join("\r\n\r\n"),
    toTag: /;tag=([^;]+)/.exec(header("To") ?? "")?.[1],
    header,
  };
}

function answerText(request: RawMessage, status: string, body = ""): string {
  const echoed = ["Via", "From", "To", "Call-ID", "CSeq"].map((name) => `${name}: ${request.header(name)}`);
  const type = body === "" ? [] : ["Content-Type: application/sdp"];
  return [`SIP/2.0 ${status}`, ...echoed, ...type, `Content-Length: ${body.length}`, "", body].join("\r\n");
}

let counter = 0;

export async function rawPeer(gateway: { host: string; port: number }, transport: "UDP" | "TCP"): Promise<RawPeer> {
  counter += 1;
  const sipCallId = `raw-${process.pid}-${counter}@peer`;
  const received: RawMessage[] = [];
  const watchers = new Set<() => void>();
  const arrived = (text: string): void => {
    const message = readMessage(text);
    if (message.startLine.startsWith("BYE ")) write(answerText(message, "200 OK"));
    received.push(message);
    for (const watcher of watchers) watcher();
  };

  let write: (text: string) => void;
  let close: () => void;
  let port: number;
  if (transport === "UDP") {
    const socket = createSocket("udp4");
    await bind(socket);
    socket.on("message", (bytes) => arrived(bytes.toString()));
    port = socket.address().port;
    write = (text) => socket.send(text, gateway.port, gateway.host);
    close = () => socket.close();
  } else {
    const socket = connect(gateway.port, gateway.host);
    await once(socket, "connect");
    let pending = "";
    socket.on("data", (bytes) => {
      pending += bytes.toString();
      for (;;) {
        const match = /^(?:\r\n)*([^]*?\r\nContent-Length: (\d+)\r\n\r\n)/.exec(pending);
        const length = match === null ? Infinity : match[0].length + Number(match[2]);
        if (match === null || pending.length < length) return;
        arrived(pending.slice(0, length).trimStart());
        pending = pending.slice(length);
      }
    });
    port = (socket.address() as { port: number }).port;
    write = (text) => void socket.write(text);
    close = () => socket.destroy();
  }

  const until: RawPeer["until"] = (look, skip = 0) =>
    new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        watchers.delete(watch);
        settle();
      };
      const watch = (): void => {
        const found = received.filter(look)[skip];
        if (found !== undefined) finish(() => resolve(found));
      };
      const timer = setTimeout(() => {
        const seen = received.map((message) => message.startLine).join(" | ");
        finish(() => reject(new Error(`only saw: ${seen}`)));
      }, patienceMs);
      watchers.add(watch);
      watch();
    });

  return {
    sipCallId,
    received,
    until,
    close,
    send: write,
    status: (status, cseq) =>
      until((message) => message.status === status && (cseq === undefined || message.header("CSeq") === cseq)),
    request(method, parts = {}) {
      const { cseq = 1, body = "", toTag, fromTag = "peer" } = parts;
      counter += 1;
      const text = [
        `${method} ${parts.uri ?? `sip:02079460102@${gateway.host}`} SIP/2.0`,
        `Via: SIP/2.0/${transport} 127.0.0.1:${port};branch=${parts.branch ?? `z9hG4bKraw${counter}`};rport`,
        "Max-Forwards: 70",
        `From: "Raw" <sip:raw@example.org>;tag=${fromTag}`,
        `To: <sip:gateway@example.org>${toTag === undefined ? "" : `;tag=${toTag}`}`,
        `Call-ID: ${sipCallId}`,
        `CSeq: ${cseq} ${method}`,
        `Contact: <sip:raw@127.0.0.1:${port}${transport === "TCP" ? ";transport=tcp" : ""}>`,
        ...(parts.headers ?? []),
        ...(body === "" ? [] : ["Content-Type: application/sdp"]),
        `Content-Length: ${Buffer.byteLength(body)}`,
        "",
        body,
      ].join("\r\n");
      write(text);
      return text;
    },
    answer: (request, status, body = "") => write(answerText(request, status, body)),
  };
}

/** An offer of PCMU and PCMA with telephone-event 101. */
export function offerOf(port: number, more: readonly string[] = ["a=sendrecv"], formats = "0 8 101"): string {
  return [
    "v=0",
    "o=raw 1 1 IN IP4 127.0.0.1",
    "s=-",
    "c=IN IP4 127.0.0.1",
    "t=0 0",
    `m=audio ${port} RTP/AVP ${formats}`,
    "a=rtpmap:101 telephone-event/8000",
    ...more,
    "",
  ].join("\r\n");
}
