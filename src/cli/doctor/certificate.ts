// The certificate that a server shows: whether it is trusted, for whom it is, and for how long. The connection is closed at once.
import { X509Certificate } from "node:crypto";
import { checkServerIdentity, connect, type DetailedPeerCertificate } from "node:tls";
import { failed, ok, skipped, warning, type Finding } from "./check.ts";

export interface TlsServer {
  readonly host: string;
  readonly port: number;
  /** The certificate has to be for one of them. */
  readonly names: readonly string[];
  /** SNI. */
  readonly shown: string | undefined;
  /** Instead of the system's authorities, as PEM. */
  readonly ca?: string | undefined;
  /** Ours, where the server may ask for one. */
  readonly own?: { readonly cert: string; readonly key: string } | undefined;
}

/** What to do about a certificate of that server. */
interface Mends {
  readonly untrusted: string;
  readonly name: string;
}

const dayMs = 86_400_000;
/** Certificates of three months are renewed a month before their end. */
const soonDays = 14;
const handshakeMs = 4_000;

type Shown =
  | { readonly kind: "none"; readonly why: string; readonly isConnected: boolean }
  | { readonly kind: "shown"; readonly certificate: DetailedPeerCertificate; readonly distrust: string | undefined };

/** `nowMs`: by the clock on the wall. */
export async function inspectCertificate(server: TlsServer, nowMs: number, mends: Mends): Promise<Finding> {
  const shown = await showCertificate(server);
  if (shown.kind === "none") {
    if (!shown.isConnected) return skipped(`no connection to ${server.host}:${server.port}: ${shown.why}`);
    return failed(`${server.host}:${server.port} speaks no TLS: ${shown.why}`, "check the port, and the transport");
  }
  const { certificate, distrust } = shown;
  const words = describe(certificate, nowMs);
  const wrongName = server.names.every((name) => checkServerIdentity(name, certificate) !== undefined);
  // What has run out is not trusted either, and that it has run out says more.
  const found = endOf(certificate, nowMs);
  if (found !== undefined && found.kind === "failed")
    return failed(`${words}: ${found.words}`, "renew the certificate");
  if (distrust !== undefined) return failed(`${words}: ${distrust}`, mends.untrusted);
  if (wrongName) return failed(`${words}: it is not for ${server.names.join(" or ")}`, mends.name);
  if (found !== undefined) return warning(`${words}: ${found.words}`, "renew the certificate");
  return ok(words);
}

/** Of a certificate that we show. */
export function inspectOwn(pem: string, nowMs: number, setting: string): Finding {
  const own = new X509Certificate(pem);
  const names = own.subjectAltName ?? own.subject.replaceAll("\n", ", ");
  const words = `${names}, by ${own.issuer.replaceAll("\n", ", ")}, ${daysLeft(own.validTo, nowMs)} days left`;
  const found = endOf({ valid_from: own.validFrom, valid_to: own.validTo }, nowMs);
  if (found === undefined) return ok(words);
  const mend = `renew the certificate in ${setting}`;
  return found.kind === "failed" ? failed(`${words}: ${found.words}`, mend) : warning(`${words}: ${found.words}`, mend);
}

function endOf(
  { valid_from: from, valid_to: to }: Pick<DetailedPeerCertificate, "valid_from" | "valid_to">,
  nowMs: number,
): { readonly kind: "failed" | "warning"; readonly words: string } | undefined {
  if (Date.parse(to) <= nowMs) return { kind: "failed", words: `it ended on ${to}` };
  if (Date.parse(from) > nowMs) return { kind: "failed", words: `it begins on ${from}` };
  return daysLeft(to, nowMs) < soonDays ? { kind: "warning", words: `it ends soon, on ${to}` } : undefined;
}

function daysLeft(to: string, nowMs: number): number {
  return Math.floor((Date.parse(to) - nowMs) / dayMs);
}

function describe(certificate: DetailedPeerCertificate, nowMs: number): string {
  const { subject, subjectaltname: names, issuer, valid_to: to } = certificate;
  const chain: string[] = [];
  const seen = new Set<string>();
  for (let one = certificate; one !== undefined && !seen.has(one.fingerprint256); one = one.issuerCertificate) {
    seen.add(one.fingerprint256);
    chain.push(nameOf(one.subject));
  }
  const whom = names?.replaceAll(/\b(?:DNS|IP Address):/g, "") ?? nameOf(subject);
  const by = chain.length > 1 ? chain.slice(1).join(", by ") : nameOf(issuer);
  return `for ${whom}, by ${by}, ${daysLeft(to, nowMs)} days left`;
}

function nameOf(name: DetailedPeerCertificate["subject"] | undefined): string {
  const named = name?.CN ?? name?.O;
  return (Array.isArray(named) ? named[0] : named) ?? "nobody";
}

/** Whatever it is: what is wrong with it, is found out here. */
function showCertificate({ host, port, shown, ca, own }: TlsServer): Promise<Shown> {
  return new Promise((resolve) => {
    let isConnected = false;
    const socket = connect({
      host,
      port,
      minVersion: "TLSv1.2",
      rejectUnauthorized: false,
      ...(shown === undefined ? {} : { servername: shown }),
      ...(ca === undefined ? {} : { ca }),
      ...own,
    });
    const end = (result: Shown): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(handshakeMs, () => end({ kind: "none", isConnected, why: "no answer in time" }));
    socket.once("connect", () => (isConnected = true));
    socket.once("error", ({ message }) => end({ kind: "none", isConnected, why: message }));
    socket.once("secureConnect", () => {
      const certificate = socket.getPeerCertificate(true);
      // The system gives a code where its types promise an Error.
      const distrust: unknown = socket.authorizationError;
      const why = distrust instanceof Error ? distrust.message : typeof distrust === "string" ? distrust : undefined;
      const isNameAlone = why?.includes("ALTNAME") === true || why?.startsWith("Hostname/IP") === true;
      end({ kind: "shown", certificate, distrust: socket.authorized || isNameAlone ? undefined : why });
    });
  });
}
