import type { Socket } from "node:net";
import { type ConnectionOptions, createSecureContext, type SecureContext } from "node:tls";
import type { Target } from "../domain/backend.ts";
import type { TlsCheck } from "../domain/health-check.ts";
import type { OutboundDoor } from "../outbound/door.ts";

/** Opens a connection of a check, over TLS where `tls` is given. Errors come as events. */
export type OpenConnection = (tls?: TlsCheck, protocols?: readonly string[]) => Socket;

export function connectionTo(target: Target, door: Pick<OutboundDoor, "connect">): OpenConnection {
  return (tls, protocols) => door.connect(target, "check", tls && tlsOptions(tls, protocols));
}

function tlsOptions(tls: TlsCheck, protocols?: readonly string[]): ConnectionOptions {
  return {
    ...(tls.serverName !== "" && { servername: tls.serverName }),
    ...(protocols !== undefined && { ALPNProtocols: [...protocols] }),
    rejectUnauthorized: tls.verify,
    secureContext: contextOf(tls),
  };
}

/** The event after which the connection can be used. */
export function readyEvent(tls: TlsCheck | undefined): "connect" | "secureConnect" {
  return tls === undefined ? "connect" : "secureConnect";
}

const contexts = new WeakMap<TlsCheck, SecureContext>();

/** Reading certificates takes milliseconds, so a check does it once. */
function contextOf(tls: TlsCheck): SecureContext {
  const { trustedCertificates: ca } = tls;
  const context = contexts.get(tls) ?? createSecureContext(ca === "" ? {} : { ca });
  contexts.set(tls, context);
  return context;
}
