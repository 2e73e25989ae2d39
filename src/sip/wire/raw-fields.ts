// Picks the header fields that make a message out of all of them, values not yet looked at.
import type { HeaderField } from "./message.ts";

/** Raw values of the headers that make a message; lists keep every line. */
export class RawFields {
  via: string[] = [];
  from: string | undefined;
  to: string | undefined;
  sipCallId: string | undefined;
  cseq: string | undefined;
  contact: string[] | undefined;
  route: string[] | undefined;
  recordRoute: string[] | undefined;
  maxForwards: string | undefined;
  contentLength: string | undefined;
  contentType: string | undefined;
  repeated = false;

  /** Of a header that may stand only once: keeps the first and remembers the trouble. */
  single(before: string | undefined, value: string): string {
    if (before === undefined) return value;
    this.repeated = true;
    return before;
  }
}

export function collectFields(headers: readonly HeaderField[]): RawFields {
  const fields = new RawFields();
  for (const { name, value } of headers) {
    switch (name) {
      case "Via":
        fields.via.push(value);
        break;
      case "From":
        fields.from = fields.single(fields.from, value);
        break;
      case "To":
        fields.to = fields.single(fields.to, value);
        break;
      case "Call-ID":
        fields.sipCallId = fields.single(fields.sipCallId, value);
        break;
      case "CSeq":
        fields.cseq = fields.single(fields.cseq, value);
        break;
      case "Max-Forwards":
        fields.maxForwards = fields.single(fields.maxForwards, value);
        break;
      case "Content-Length":
        fields.contentLength = fields.single(fields.contentLength, value);
        break;
      case "Content-Type":
        fields.contentType = fields.single(fields.contentType, value);
        break;
      case "Contact":
        (fields.contact ??= []).push(value);
        break;
      case "Route":
        (fields.route ??= []).push(value);
        break;
      case "Record-Route":
        (fields.recordRoute ??= []).push(value);
        break;
      default:
    }
  }
  return fields;
}
