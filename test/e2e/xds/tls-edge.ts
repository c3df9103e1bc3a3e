/** A certificate at the edge as a secret, and which one is served. */
import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { type ResourceInput, resourceFromJson, SECRET_TYPE } from "../../../src/xds/server/library.ts";
import { Authority, type KeyPair } from "../../support/certificates.ts";

export const EDGE_SECRET = "edge";
const SERVER_NAME = "edge.test";

const authority = new Authority();

export function edgePair(): KeyPair {
  return authority.issue(`DNS:${SERVER_NAME}`);
}

export function edgeSecret({ certificate, key }: KeyPair): ResourceInput {
  return resourceFromJson(SECRET_TYPE, {
    name: EDGE_SECRET,
    tlsCertificate: { certificateChain: { inlineString: certificate }, privateKey: { inlineString: key } },
  });
}

export function serialOf({ certificate }: KeyPair): string {
  return new X509Certificate(certificate).serialNumber;
}

/** One handshake, which must succeed; tells the serial number of the certificate that was served. */
export function handshake(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", ca: authority.certificate, servername: SERVER_NAME });
    socket.setTimeout(5000, () => socket.destroy(new Error("no handshake within 5 s")));
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? "none");
      socket.destroy();
    });
  });
}
