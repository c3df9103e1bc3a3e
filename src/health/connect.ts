import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, type SecureContext } from "node:tls";
import type { Target } from "../domain/backend.ts";
import type { TlsCheck } from "../domain/health-check.ts";

/** Opens a connection, over TLS where `tls` is given. Errors come as events. */
export function openConnection(target: Target, tls?: TlsCheck, protocols?: readonly string[]): Socket {
  const place = target.kind === "pipe" ? { path: target.path } : { host: target.ip, port: target.port };
  if (tls === undefined) return connectTcp({ ...place, noDelay: true });
  return connectTls({
    ...place,
    ...(tls.serverName !== "" && { servername: tls.serverName }),
    ...(protocols !== undefined && { ALPNProtocols: [...protocols] }),
    rejectUnauthorized: tls.verify,
    secureContext: contextOf(tls),
  });
}

/** The event that says that the connection can be used. */
export function readyEvent(tls: TlsCheck | undefined): "connect" | "secureConnect" {
  return tls === undefined ? "connect" : "secureConnect";
}

const contexts = new WeakMap<TlsCheck, SecureContext>();

/** Reading certificates takes milliseconds, so a check does it once. */
function contextOf(tls: TlsCheck): SecureContext {
  let context = contexts.get(tls);
  if (context === undefined) {
    context = createSecureContext(tls.trustedCertificates === "" ? {} : { ca: tls.trustedCertificates });
    contexts.set(tls, context);
  }
  return context;
}
