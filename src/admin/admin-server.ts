import type { Socket } from "node:net";
import { Server, type ServerCredentials } from "@grpc/grpc-js";
import { adminHandlers } from "../api/admin-handlers.ts";
import { ControlPlaneError } from "../domain/errors.ts";
import { AdminService } from "../gen/fairlead/admin/v1/admin_pb.ts";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../gen/grpc/reflection/v1/reflection_pb.ts";
import type { Context } from "../operations/context.ts";
import type { Containment } from "../runtime/containment.ts";
import { type Listener, listenOn } from "../runtime/listener.ts";
import type { Logger } from "../runtime/logger.ts";
import { boundCalls } from "./bound-calls.ts";
import { Connections } from "./connections.ts";
import { grpcServiceDefinition } from "./grpc-service-definition.ts";
import { healthHandlers } from "./health-service.ts";
import { implementService, type Serving } from "./implement-service.ts";
import { ADMIN_LIMITS, type AdminLimits, HTTP2_STREAMS, WIRE_BYTES } from "./limits.ts";
import { REFLECTION_NAMES, reflectionHandlers } from "./reflection.ts";

/** A watcher that disappears without a word is noticed after this plus the timeout. */
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;

export interface AdminServerOptions {
  readonly context: Context;
  readonly logger: Logger;
  /** Why this replica is not ready, or undefined; the standard health service follows it. */
  readonly notReady: () => string | undefined;
  readonly containment: Containment;
  readonly limits?: Partial<AdminLimits>;
}

export interface AdminServer {
  /**
   * Opens a port (0 for any) and returns the address that was bound.
   *
   * @throws ControlPlaneError `precondition` / `LISTEN_ADDRESS_IN_USE` or `CANNOT_LISTEN`.
   */
  listen(address: string, credentials: ServerCredentials): Promise<string>;
  /** Ends streams with `unavailable`, lets calls finish for that long, then closes what is left. Idempotent. */
  stop(graceMs: number): Promise<void>;
}

/** The admin API with health checks and reflection, over gRPC. */
export function createAdminServer({ context, logger, notReady, ...options }: AdminServerOptions): AdminServer {
  const log = logger.child({ component: "admin" });
  const { clock } = context;
  const limits = { ...ADMIN_LIMITS, ...options.limits };
  const stopping = new AbortController();
  const connections = new Connections(limits, clock);
  const serving: Serving = {
    logger: log,
    clock,
    pace: context.pace,
    limits,
    containment: options.containment,
    drop: (peer) => connections.drop(peer),
    stopping: stopping.signal,
  };
  const server = new Server({
    "grpc.max_receive_message_length": WIRE_BYTES,
    // Answers are measured before they are sent, so that the error says what is too long.
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": HTTP2_STREAMS,
    "grpc.max_connection_idle_ms": limits.idleConnectionMs,
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
    "grpc.enable_channelz": 0,
    interceptors: [boundCalls(connections, options.containment)],
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
  const reflection = implementService(ServerReflection, reflectionHandlers(names), serving);
  for (const name of REFLECTION_NAMES) server.addService(grpcServiceDefinition(ServerReflection, name), reflection);
  const listening: Listener[] = [];
  return {
    listen: async (address, credentials) => {
      const colon = address.lastIndexOf(":");
      const host = address.slice(0, colon);
      const injector = server.createConnectionInjector(credentials);
      const accept = (socket: Socket) => {
        if (connections.add(socket)) injector.injectConnection(socket);
      };
      const { containment } = options;
      const bound = await listenOn(host.replace(/^\[(.*)\]$/, "$1"), Number(address.slice(colon + 1)), {
        accept: (socket) => containment.contain("admin", `connection of ${socket.remoteAddress}`, () => accept(socket)),
        failed: (error) => containment.note("admin", "a connection", error),
      }).catch((error: unknown) => {
        throw cannotListen(address, error);
      });
      listening.push(bound);
      log.info({ address: `${host}:${bound.port}` }, "admin api is listening");
      return `${host}:${bound.port}`;
    },
    stop: async (graceMs) => {
      stopping.abort(
        new ControlPlaneError({ kind: "unavailable", code: "STOPPING", message: "the plane is stopping; try again" }),
      );
      for (const each of listening) each.close();
      const force = clock.after(graceMs, () => connections.dropAll());
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      force();
    },
  };
}

function cannotListen(address: string, cause: unknown): ControlPlaneError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const inUse = why.includes("EADDRINUSE");
  return new ControlPlaneError({
    kind: "precondition",
    code: inUse ? "LISTEN_ADDRESS_IN_USE" : "CANNOT_LISTEN",
    message: inUse
      ? `the admin address ${address} is in use by another process; stop it, or choose another with --admin`
      : `cannot listen on the admin address ${address}: ${why}`,
    details: { address },
    cause,
  });
}
