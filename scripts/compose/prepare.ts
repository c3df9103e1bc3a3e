/** What the compose set-up needs beside its files: keys, certificates and bootstraps, made once and kept out of git. */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nkeys } from "@nats-io/transport-node";
import { bootstrapYaml } from "../../src/cli/bootstrap-config.ts";
import { output } from "../components/search.ts";

const YEARS = 2;
const EDGES = ["edge-1", "edge-2"];
const PLANES = [
  { host: "plane-a", port: 18_000 },
  { host: "plane-b", port: 18_000 },
];
/** Of each Envoy in its own container, where compose.yaml makes the directory. */
const ADMIN_SOCKET = "/run/envoy/admin.sock";
/** Names and addresses under which the NATS servers are reached. */
const NATS_NAMES = ["DNS:n1", "DNS:n2", "DNS:n3", "DNS:localhost", "IP:127.0.0.1"];

/**
 * Fills `folder`, unless it exists. Only its owner can enter it; the files themselves can be read by whichever user a
 * container runs as, since each is mounted on its own.
 *
 * @throws Error with what openssl complains about; then nothing is left behind.
 */
export function prepareSecrets(folder: string): void {
  if (existsSync(folder)) return;
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { mode: 0o700 });
  try {
    makeAuthority(fresh);
    makeCertificate(fresh, "nats", NATS_NAMES);
    makeCertificate(fresh, "planes", ["DNS:planes"]);
    makeUsers(fresh);
    for (const nodeId of EDGES) {
      const yaml = bootstrapYaml({ nodeId, fleet: "edge", xds: PLANES, adminSocket: ADMIN_SOCKET, sotw: false });
      writeFileSync(join(fresh, `${nodeId}.yaml`), yaml);
    }
    renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** A user each for what provisions, for the planes and for the system account: seeds in files, public keys in `users.conf`. */
function makeUsers(folder: string): void {
  const users = ["planes", "provisioner", "system"].map((name) => {
    const user = nkeys.createUser();
    writeFileSync(join(folder, `${name}.nk`), user.getSeed());
    return `${name.toUpperCase()}: ${user.getPublicKey()}\n`;
  });
  writeFileSync(join(folder, "users.conf"), users.join(""));
}

function makeAuthority(folder: string): void {
  openssl(folder, "ca", ["-subj", "/CN=fairlead compose CA"]);
}

/** A certificate that serves as a server's and as a client's: NATS servers are both to each other. */
function makeCertificate(folder: string, name: string, altNames: readonly string[]): void {
  const extensions = ["extendedKeyUsage=serverAuth,clientAuth", `subjectAltName=${altNames.join(",")}`];
  openssl(folder, name, [
    ...["-subj", `/CN=${name}`, "-CA", join(folder, "ca.pem"), "-CAkey", join(folder, "ca.key")],
    ...extensions.flatMap((extension) => ["-addext", extension]),
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
  ]);
}

function openssl(folder: string, name: string, more: readonly string[]): void {
  const files = ["-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.pem`)];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", String(YEARS * 365)];
  output("openssl", ["req", "-x509", ...key, ...more, ...files]);
  chmodSync(join(folder, `${name}.key`), 0o644);
}
