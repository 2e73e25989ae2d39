// What can go wrong between us and the next hop, with the words an operator reads in health and logs.

export type TransportFault =
  | "address-in-use"
  | "refused"
  | "unreachable"
  | "timeout"
  | "reset"
  | "tls"
  | "websocket"
  | "resolve"
  | "too-large"
  | "closed"
  | "malformed"
  | "other";

export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly code: TransportFault;
  constructor(code: TransportFault, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

const FAULTS: Readonly<Record<string, readonly [TransportFault, string]>> = {
  EADDRINUSE: ["address-in-use", "address already in use"],
  EADDRNOTAVAIL: ["unreachable", "local address not available"],
  EACCES: ["other", "not permitted"],
  ECONNREFUSED: ["refused", "connection refused"],
  ECONNRESET: ["reset", "connection reset by peer"],
  EPIPE: ["reset", "connection closed by peer"],
  EHOSTUNREACH: ["unreachable", "host unreachable"],
  ENETUNREACH: ["unreachable", "network unreachable"],
  ETIMEDOUT: ["timeout", "connection timed out"],
  EMSGSIZE: ["too-large", "message too large for a datagram"],
  ENOTFOUND: ["resolve", "host name not found"],
  ENODATA: ["resolve", "host name has no address"],
  EAI_AGAIN: ["resolve", "name resolution failed for now"],
  ESERVFAIL: ["resolve", "name server failed"],
  EREFUSED: ["resolve", "name server refused"],
  ETIMEOUT: ["resolve", "name server did not answer"],
};

/** Any error of a socket or the resolver, as one of ours; `where` is put in front: "192.0.2.1:5060 tcp". */
export function transportError(error: unknown, where: string): TransportError {
  if (error instanceof TransportError) return error;
  const code = codeOf(error);
  const known = FAULTS[code];
  if (known !== undefined) return new TransportError(known[0], `${where}: ${known[1]}`, { cause: error });
  const text = error instanceof Error ? error.message : String(error);
  // OpenSSL's and node's certificate errors have many codes, all of one meaning here.
  const isTls = /^(ERR_SSL|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_|INVALID_CA|ERR_OSSL)/.test(code);
  return new TransportError(isTls ? "tls" : "other", `${where}: ${isTls ? "TLS: " : ""}${text}`, { cause: error });
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return String(error.code);
}
