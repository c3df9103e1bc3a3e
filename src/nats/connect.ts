import { connect, errors, type NatsConnection } from "@nats-io/transport-node";
import { ControlPlaneError } from "../domain/errors.ts";
import { longestUntried } from "./dial-order.ts";
import type { NatsSecurity } from "./security.ts";

const OLDEST_MAJOR = 2;
const OLDEST_MINOR = 12;
/** Per server: when there is another to go to, a longer timeout would only prolong the silence. */
const CONNECT_TIMEOUT_MS = 2_000;
/** Answers arrive on subjects below it, so permissions can name it. */
export const INBOX_PREFIX = "_INBOX_fairlead";

export interface NatsConnectOptions {
  readonly servers: readonly string[];
  /** Shown by the server beside the connection. */
  readonly name: string;
  readonly security?: NatsSecurity;
}

/**
 * Connects, and reconnects for ever after that.
 *
 * @throws ControlPlaneError `unavailable` / `NATS_UNREACHABLE`, `precondition` / `NATS_LOGIN_REFUSED`, `NATS_TOO_OLD`.
 */
export async function connectNats({ servers, name, security }: NatsConnectOptions): Promise<NatsConnection> {
  let connection: NatsConnection;
  try {
    connection = await connect({
      servers: [...servers],
      name,
      inboxPrefix: INBOX_PREFIX,
      timeout: CONNECT_TIMEOUT_MS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 250,
      pingInterval: 5_000,
      maxPingOut: 2,
      reconnectToServer: longestUntried,
      ...security,
    });
  } catch (cause) {
    throw cannotConnect(cause, servers);
  }
  const version = connection.info?.version ?? "0.0.0";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST_MAJOR || (major === OLDEST_MAJOR && minor >= OLDEST_MINOR)) return connection;
  await connection.close();
  throw new ControlPlaneError({
    kind: "precondition",
    code: "NATS_TOO_OLD",
    message: `${connection.getServer()} is nats-server ${version}; ${OLDEST_MAJOR}.${OLDEST_MINOR} or later is needed`,
    details: { found: version, needed: `${OLDEST_MAJOR}.${OLDEST_MINOR}` },
  });
}

function cannotConnect(cause: unknown, servers: readonly string[]): ControlPlaneError {
  const why = cause instanceof Error ? cause.message || cause.name : String(cause);
  const where = servers.join(", ");
  const details = { servers: servers.join(",") };
  if (cause instanceof errors.AuthorizationError || cause instanceof errors.UserAuthenticationExpiredError) {
    const message = `NATS at ${where} refused the login (${why}); check the user, the nkey or the credentials`;
    return new ControlPlaneError({ kind: "precondition", code: "NATS_LOGIN_REFUSED", message, details, cause });
  }
  const message = `no NATS server can be reached at ${where}: ${why}`;
  return new ControlPlaneError({ kind: "unavailable", code: "NATS_UNREACHABLE", message, details, cause });
}
