// An authority of our own and the certificates it issues, made by openssl for one run and gone with it.
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { promisify } from "node:util";
import { OPENSSL } from "../../setup/versions.ts";
import type { Rig } from "./rig.ts";

const run = promisify(execFile);

/** Paths of two PEM files. */
export interface Certificate {
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface Authority extends Certificate {
  /** A certificate for a host name, good for a server and for a client. */
  issue(host: string): Promise<Certificate>;
}

/** P-256: made in no time, and taken by everyone. */
const REQUEST = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2".split(" ");

/** Makes an authority, known by its name. */
export async function createAuthority(rig: Rig, name: string): Promise<Authority> {
  const folder = rig.path(`authority-${name}`);
  await mkdir(folder, { recursive: true });
  const make = async (subject: string, ...options: readonly string[]): Promise<Certificate> => {
    const files = { certificateFile: `${folder}/${subject}.pem`, keyFile: `${folder}/${subject}.key` };
    const { certificateFile, keyFile } = files;
    await run(OPENSSL, [
      ...REQUEST,
      "-subj",
      `/CN=${subject}`,
      "-out",
      certificateFile,
      "-keyout",
      keyFile,
      ...options,
    ]);
    return files;
  };
  const own = await make(name);
  return {
    ...own,
    issue: (host) => {
      const signed = ["-CA", own.certificateFile, "-CAkey", own.keyFile];
      const extensions = [`subjectAltName=DNS:${host}`, "basicConstraints=CA:FALSE"];
      return make(host, ...signed, ...extensions.flatMap((extension) => ["-addext", extension]));
    },
  };
}
