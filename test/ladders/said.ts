// SIP messages for ladders, written by hand.

const phrases: Readonly<Record<string, string>> = { "180": "Ringing", "200": "OK", "404": "Not Found" };

/** `start`: a method, or the status of a response to INVITE. */
export function sipText(start: string, dialog: string, more = ""): Buffer {
  const isStatus = /^\d/.test(start);
  const first = isStatus ? `SIP/2.0 ${start} ${phrases[start] ?? ""}` : `${start} sip:+442079460123@192.0.2.1 SIP/2.0`;
  const lines = [
    first,
    "Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK1",
    "From: <sip:+441632960001@192.0.2.9>;tag=a",
    "To: <sip:+442079460123@192.0.2.1>",
    `Call-ID: ${dialog}`,
    `CSeq: 1 ${isStatus ? "INVITE" : start}`,
    ...(more === "" ? [] : [more]),
    "Content-Length: 0",
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
}
