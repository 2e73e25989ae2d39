// A certificate authority of the tests' own, made with openssl in a folder of its own.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const OPENSSL = "openssl";

export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export class Authority {
  readonly #folder = mkdtempSync(join(tmpdir(), "sip-ca-"));
  readonly ca: string;

  constructor(name = "Test CA") {
    this.#run([
      "req",
      "-x509",
      ...this.#newKey("ca"),
      "-subj",
      `/CN=${name}`,
      "-days",
      "2",
      "-out",
      this.#at("ca.pem"),
    ]);
    this.ca = readFileSync(this.#at("ca.pem"), "utf8");
  }

  /** `names` in the form of subjectAltName: `DNS:localhost`, `IP:127.0.0.1`. */
  issue(id: string, names: string): Issued {
    const request = this.#at(`${id}.csr`);
    const certificate = this.#at(`${id}.pem`);
    this.#run(["req", ...this.#newKey(id), "-subj", `/CN=${id}`, "-out", request]);
    writeFileSync(this.#at(`${id}.ext`), `subjectAltName=${names}\n`);
    const signer = ["-CA", this.#at("ca.pem"), "-CAkey", this.#at("ca.key"), "-CAcreateserial"];
    this.#run([
      "x509",
      "-req",
      "-in",
      request,
      ...signer,
      "-days",
      "2",
      "-extfile",
      this.#at(`${id}.ext`),
      "-out",
      certificate,
    ]);
    return { cert: readFileSync(certificate, "utf8"), key: readFileSync(this.#at(`${id}.key`), "utf8") };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #newKey(id: string): string[] {
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    return [...curve, "-keyout", this.#at(`${id}.key`)];
  }

  #at(file: string): string {
    return join(this.#folder, file);
  }

  #run(args: readonly string[]): void {
    execFileSync(OPENSSL, args, { stdio: "pipe" });
  }
}
