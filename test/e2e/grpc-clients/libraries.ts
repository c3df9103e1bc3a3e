/** The gRPC libraries that are tried as proxyless clients, each as a program that calls once for each line that it reads. */
import { join } from "node:path";
import { provideGoClient, provideGrpcio, provideJavaClient } from "../../../scripts/components/grpc-clients.ts";
import type { TalkingCommand } from "./talking-child.ts";

const HERE = import.meta.dirname;
const quiet = () => undefined;

/** How long a component may take to be fetched and built. */
export const COMPONENT_TIMEOUT_MS = 600_000;

export interface Library {
  readonly name: string;
  readonly command: () => TalkingCommand;
}

export const LIBRARIES: readonly Library[] = [
  {
    name: "grpc-js",
    command: () => ({ program: process.execPath, args: [join(HERE, "node/client.ts")] }),
  },
  {
    name: "C-core (Python)",
    command: () => ({
      program: "python3",
      args: [join(HERE, "python/client.py")],
      env: { PYTHONPATH: provideGrpcio(quiet).path },
    }),
  },
  {
    name: "grpc-go",
    command: () => ({ program: provideGoClient(quiet).path, args: [] }),
  },
  {
    name: "grpc-java",
    command: () => {
      const { path } = provideJavaClient(quiet);
      return { program: "java", args: ["-cp", `${path}:${path}/*`, "Client"] };
    },
  },
];

/** The program with that target, and with a bootstrap that names the management server. */
export function withBootstrap({ program, args, env }: TalkingCommand, plane: string, target: string): TalkingCommand {
  const bootstrap = {
    xds_servers: [{ server_uri: plane, channel_creds: [{ type: "insecure" }], server_features: ["xds_v3"] }],
    node: { id: "client-1", cluster: "clients", locality: {} },
    server_listener_resource_name_template: "grpc/server?xds.resource.listening_address=%s",
  };
  return {
    program,
    args: [...args, target],
    env: { ...env, GRPC_XDS_BOOTSTRAP_CONFIG: JSON.stringify(bootstrap) },
  };
}
