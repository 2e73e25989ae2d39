// Checks a trunk's certificates and keys once they have been read, wherever they come from.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { ConfigError, type ConfigFinding, type ConfigPath } from "../reading/problem.ts";
import type { Config } from "../schema/schema.ts";

/** Throws ConfigError. */
export function requireCertificates({ trunks }: Config, file: string): void {
  const findings = trunks.flatMap(({ tls }, index) => [...checkPem(tls, ["trunks", index, "tls"])]);
  if (findings.length > 0)
    throw new ConfigError(
      file,
      findings.map(({ path, message }) => ({ path, message, line: undefined })),
    );
}

function* checkPem(
  { ca, certificate, key }: Config["trunks"][number]["tls"],
  path: ConfigPath,
): Generator<ConfigFinding> {
  for (const [name, text] of Object.entries({ ca, certificate })) {
    if (text !== undefined && read(() => new X509Certificate(text)) === undefined)
      yield { path: [...path, name], message: "is not a certificate in PEM form" };
  }
  if (key === undefined) return;
  const privateKey = read(() => createPrivateKey(key));
  if (privateKey === undefined) {
    yield { path: [...path, "key"], message: "is not a private key in PEM form, or needs a passphrase" };
  } else if (
    certificate !== undefined &&
    read(() => new X509Certificate(certificate).checkPrivateKey(privateKey)) === false
  ) {
    yield { path: [...path, "key"], message: "is not the key of the certificate" };
  }
}

/** undefined where it cannot be read. */
function read<Read>(attempt: () => Read): Read | undefined {
  try {
    return attempt();
  } catch {
    return undefined;
  }
}
