// What Node says of a connection that failed, in words that an admin can act on. The code stands behind them, for searching.

const untrusted = "its TLS certificate is signed by nobody whom this machine trusts; NODE_EXTRA_CA_CERTS names more";
const noTls = "the port does not speak TLS, so its address begins with http://";
const closed = "the connection was closed without an answer; if the port speaks TLS, its address begins with https://";
const noHttp = "the port does not speak HTTP; if it speaks TLS, its address begins with https://";

const wordsByCode: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens at that address and port",
  ENOTFOUND: "there is no host of that name",
  EAI_AGAIN: "the name server does not answer",
  EHOSTUNREACH: "there is no way to that address",
  ENETUNREACH: "there is no way to that address",
  ETIMEDOUT: "there was no answer in time",
  UND_ERR_CONNECT_TIMEOUT: "there was no answer in time",
  ECONNRESET: closed,
  UND_ERR_SOCKET: closed,
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_HAS_EXPIRED: "its TLS certificate has expired",
  CERT_NOT_YET_VALID: "its TLS certificate is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "its TLS certificate is for another host name",
};

/** One line. */
export function networkWords(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : "no answer";
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";
  // undici gives the code of its parser by name only.
  if (cause instanceof Error && cause.name === "HTTPParserError") return `${noHttp} (${code || cause.name})`;
  const words = wordsByCode[code];
  return words === undefined ? message.replaceAll(/\s*\n\s*/g, " ") : `${words} (${code})`;
}
