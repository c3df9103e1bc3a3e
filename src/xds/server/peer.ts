import { X509Certificate } from "node:crypto";
import type { DiscoveryCall } from "./stream-transport.ts";

/** Who is at the other end of a connection. */
export type Peer = {
  /** `address:port`. */
  readonly address: string;
  /** The client's certificate in DER, when it presented one and the server's credentials asked for it. */
  readonly certificate: Uint8Array | undefined;
  /** The subject alternative names of that certificate, by kind, which tell who the client is; empty without one. */
  readonly names: SubjectNames;
};

export type SubjectNames = {
  /** For example `spiffe://example.com/edge/7`. */
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  readonly addresses: readonly string[];
};

/** What a call tells about its connection. A certificate counts only if the handshake proved it. */
export function peerOf(call: Pick<DiscoveryCall, "getPeer" | "getAuthContext">): Peer {
  const certificate = call.getAuthContext()?.sslPeerCertificate?.raw;
  return { address: call.getPeer(), certificate, names: certificate ? readNames(certificate) : NO_NAMES };
}

const NO_NAMES: SubjectNames = { uris: [], dns: [], addresses: [] };

/** Node gives the names as one text, in which any value with something ambiguous in it is a JSON string. */
function readNames(der: Uint8Array): SubjectNames {
  const text = new X509Certificate(der).subjectAltName ?? "";
  const found = [...text.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)];
  const of = (kind: string) =>
    found
      .filter(([, each]) => each === kind)
      .map(([, , value = ""]) => (value.startsWith('"') ? String(JSON.parse(value)) : value));
  return { uris: of("URI"), dns: of("DNS"), addresses: of("IP Address") };
}
