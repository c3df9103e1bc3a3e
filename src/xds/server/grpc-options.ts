import type { ServerOptions } from "@grpc/grpc-js";
import type { XdsLimits } from "./limits.ts";

/** Discovery streams do not end by themselves: this gives status calls time to finish. */
const CONNECTION_GRACE_MS = 1000;

/** The limits that grpc-js itself enforces. */
export function grpcOptions(limits: XdsLimits): ServerOptions {
  return {
    "grpc.max_receive_message_length": limits.maxRequestBytes,
    "grpc.max_concurrent_streams": limits.maxStreamsPerConnection,
    "grpc.max_connection_idle_ms": limits.connectionIdleMs,
    "grpc.keepalive_time_ms": limits.keepaliveMs,
    "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
    "grpc.enable_channelz": 0,
    ...(limits.maxConnectionAgeMs > 0 && {
      "grpc.max_connection_age_ms": limits.maxConnectionAgeMs,
      "grpc.max_connection_age_grace_ms": CONNECTION_GRACE_MS,
    }),
  };
}
