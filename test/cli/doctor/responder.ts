// A SIP server that answers each method with one status, over UDP or TLS, and a UDP port where nobody answers.
import { createSocket } from "node:dgram";
import { createServer } from "node:tls";
import type { AddressInfo } from "node:net";
import { bind } from "../../../dev/loopback/listen.ts";
import type { Ends } from "./world.ts";

export interface Answers {
  readonly [method: string]: { readonly status: number; readonly sdp?: string } | "silence";
}

/** By hand: what it says must not depend on the bridge's own writer. */
function answerTo(request: string, answers: Answers): string | undefined {
  const [method = ""] = request.split(" ");
  const said = answers[method] ?? "silence";
  if (said === "silence") return undefined;
  const lines = request.split("\r\n");
  const line = (name: string): string => lines.find((one) => one.startsWith(`${name}:`)) ?? "";
  const { status, sdp = "" } = said;
  return [
    `SIP/2.0 ${status} ${status < 300 ? "OK" : "No"}`,
    line("Via"),
    line("From"),
    `${line("To")};tag=r1`,
    line("Call-ID"),
    line("CSeq"),
    ...(sdp === "" ? [] : ["Content-Type: application/sdp"]),
    `Content-Length: ${sdp.length}`,
    "",
    sdp,
  ].join("\r\n");
}

/** `127.0.0.1:port`. */
export async function respondOverUdp(ends: Ends, answers: Answers): Promise<string> {
  const socket = createSocket("udp4");
  const port = await bind(socket);
  ends(() => void socket.close());
  socket.on("message", (packet, from) => {
    const answer = answerTo(packet.toString("latin1"), answers);
    if (answer !== undefined) socket.send(answer, from.port, from.address);
  });
  return `127.0.0.1:${port}`;
}

export async function respondOverTls(
  ends: Ends,
  own: { readonly cert: string; readonly key: string },
  answers: Answers,
): Promise<string> {
  const server = createServer(own, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (data: Buffer) => {
      const answer = answerTo(data.toString("latin1"), answers);
      if (answer !== undefined) socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
