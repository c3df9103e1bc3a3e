import { Server, type ServerCredentials } from "@grpc/grpc-js";
import { ControlPlaneError } from "../domain/errors.ts";
import { AdminService } from "../gen/fairlead/admin/v1/admin_pb.ts";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import type { Context } from "../operations/context.ts";
import type { Logger } from "../runtime/logger.ts";
import { adminHandlers } from "./admin-handlers.ts";
import { grpcServiceDefinition } from "./grpc-service-definition.ts";
import { healthHandlers } from "./health-service.ts";
import { implementService } from "./implement-service.ts";
import { addReflection } from "./reflection.ts";

/**
 * Longest message that is read from the wire at all. Longer than the longest request that is accepted, so that the caller
 * is told what is wrong and what the limit is.
 */
const MAX_RECEIVE_BYTES = 64 * 1024 * 1024;
/** A watcher that is gone without a word is noticed after this and the time-out. */
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;

export interface AdminServerOptions {
  readonly context: Context;
  readonly logger: Logger;
  /** Why this replica is not ready, or nothing: what the standard health service tells. */
  readonly notReady: () => string | undefined;
}

export interface AdminServer {
  /**
   * Opens a port (0 for any) and gives the address that was bound.
   *
   * @throws ControlPlaneError `precondition` / `LISTEN_ADDRESS_IN_USE` or `CANNOT_LISTEN`.
   */
  listen(address: string, credentials: ServerCredentials): Promise<string>;
  /** Ends streams with `unavailable`, lets calls finish for so long, then closes what is left. Idempotent. */
  stop(graceMs: number): Promise<void>;
}

/** The admin API with health checks and reflection, over gRPC. */
export function createAdminServer({ context, logger, notReady }: AdminServerOptions): AdminServer {
  const log = logger.child({ component: "admin" });
  const stopping = new AbortController();
  const serving = { logger: log, stopping: stopping.signal };
  const server = new Server({
    "grpc.max_receive_message_length": MAX_RECEIVE_BYTES,
    "grpc.max_send_message_length": -1,
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
  });
  const names = [AdminService.typeName, Health.typeName];
  const health = healthHandlers({
    serviceNames: names,
    notReady: () => (stopping.signal.aborted ? "stopping" : notReady()),
    clock: context.clock,
  });
  server.addService(
    grpcServiceDefinition(AdminService),
    implementService(AdminService, adminHandlers(context), serving),
  );
  server.addService(grpcServiceDefinition(Health), implementService(Health, health, serving));
  addReflection(server, names);
  return {
    listen: async (address, credentials) => {
      const port = await bind(server, address, credentials);
      const bound = address.replace(/:\d+$/, `:${port}`);
      log.info({ address: bound }, "admin api is listening");
      return bound;
    },
    stop: async (graceMs) => {
      stopping.abort(
        new ControlPlaneError({ kind: "unavailable", code: "STOPPING", message: "the plane is stopping; try again" }),
      );
      const force = context.clock.after(graceMs, () => server.forceShutdown());
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      force();
    },
  };
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(cannotListen(address, error));
    });
  });
}

function cannotListen(address: string, cause: Error): ControlPlaneError {
  const inUse = cause.message.includes("EADDRINUSE");
  return new ControlPlaneError({
    kind: "precondition",
    code: inUse ? "LISTEN_ADDRESS_IN_USE" : "CANNOT_LISTEN",
    message: inUse
      ? `the admin address ${address} is in use by another process; stop it, or choose another with --admin`
      : `cannot listen on the admin address ${address}: ${cause.message}`,
    details: { address },
    cause,
  });
}
