/** Certificates for tests, made by openssl: an authority, and what it signs. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "./temp-folder.ts";

/** A certificate and its key, in PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export class Authority {
  readonly #own = request("test authority", "basicConstraints = critical, CA:TRUE");

  get certificate(): string {
    return this.#own.certificate;
  }

  /** @param names Subject alternative names: `URI:spiffe://edge`, `DNS:edge`, `IP:127.0.0.1`; taken as they stand. */
  issue(...names: readonly string[]): KeyPair {
    const listed = names.map((name, index) => {
      const kind = name.slice(0, name.indexOf(":"));
      return `${kind}.${index} = ${name.slice(kind.length + 1)}`;
    });
    return request("leaf", ["subjectAltName = @names", "[names]", ...listed].join("\n"), this.#own);
  }
}

function request(name: string, extensions: string, issuer?: KeyPair): KeyPair {
  using folder = tempFolder();
  const file = (each: string) => join(folder.path, each);
  const config = ["[req]", "distinguished_name = dn", "[dn]", "[extensions]", extensions, ""].join("\n");
  writeFileSync(file("config"), config);
  if (issuer) {
    writeFileSync(file("ca.pem"), issuer.certificate);
    writeFileSync(file("ca.key"), issuer.key);
  }
  const args = [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
    ...["-config", file("config"), "-extensions", "extensions", "-subj", `/CN=${name}`],
    ...["-keyout", file("key.pem"), "-out", file("cert.pem")],
    ...(issuer ? ["-CA", file("ca.pem"), "-CAkey", file("ca.key")] : []),
  ];
  execFileSync("openssl", args, { stdio: "pipe" });
  return { certificate: readFileSync(file("cert.pem"), "utf8"), key: readFileSync(file("key.pem"), "utf8") };
}
