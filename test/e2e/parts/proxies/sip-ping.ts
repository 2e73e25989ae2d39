// Is a SIP peer awake? One OPTIONS by UDP (RFC 3261 s11.1); any answer is one.
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { bind } from "../../../../dev/loopback/listen.ts";

const WAIT_MS = 200;

/** True where something answers an OPTIONS on 127.0.0.1:`port` within 200 ms. */
export async function answersOptions(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  try {
    await bind(socket);
    const own = `127.0.0.1:${socket.address().port}`;
    const id = randomBytes(8).toString("hex");
    const request = [
      `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
      `Via: SIP/2.0/UDP ${own};branch=z9hG4bK${id};rport`,
      "Max-Forwards: 70",
      `From: <sip:ping@${own}>;tag=${id}`,
      `To: <sip:127.0.0.1:${port}>`,
      `Call-ID: ${id}`,
      "CSeq: 1 OPTIONS",
      `Contact: <sip:ping@${own}>`,
      "Content-Length: 0",
    ];
    socket.send(`${request.join("\r\n")}\r\n\r\n`, port, "127.0.0.1");
    const [answer] = (await once(socket, "message", { signal: AbortSignal.timeout(WAIT_MS) })) as [Buffer];
    return answer.toString("latin1").startsWith("SIP/2.0 ");
  } catch {
    return false; // nobody there yet: refused, or no answer in time
  } finally {
    socket.close();
  }
}
