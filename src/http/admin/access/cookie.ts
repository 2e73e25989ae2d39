// The cookie of a session in the console. A page that came over TLS has one that no other way brings or overwrites (RFC 6265bis,
// 4.1.3.2).
const plainName = "matrix-sip-console";
const secureName = `__Host-${plainName}`;
const form = new RegExp(`(?:^|;) *(${secureName}|${plainName})=([A-Za-z0-9_-]{43})(?= *(?:;|$))`, "g");

/** `origin` is the page's, as its browser says. */
export function cookieOf(secret: string, origin: string): string {
  const flags = "Path=/; HttpOnly; SameSite=Strict";
  return origin.startsWith("https:") ? `${secureName}=${secret}; ${flags}; Secure` : `${plainName}=${secret}; ${flags}`;
}

/** What the header `Cookie` brings, the one of TLS first. */
export function secretsIn(header: string | undefined): readonly string[] {
  const found = [...(header ?? "").matchAll(form)].map(([, name = "", secret = ""]) => ({ name, secret }));
  return found.toSorted((one, other) => rank(one.name) - rank(other.name)).map(({ secret }) => secret);
}

function rank(name: string): number {
  return name === secureName ? 0 : 1;
}
