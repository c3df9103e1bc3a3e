import { Command, InvalidArgumentError, Option } from "commander";
import { bootstrapYaml, defaultAdminSocket, type HostPort, isSocketPath, parseHostPort } from "../bootstrap-config.ts";
import { jsonText } from "../data-text.ts";
import { wrongUsage } from "../exit.ts";
import { type GrpcLocality, grpcBootstrap, parseLocality } from "../grpc-bootstrap.ts";
import { type CliContext, printText } from "../io.ts";

interface BootstrapFlags {
  readonly nodeId: string;
  readonly fleet: string;
  readonly xds: readonly HostPort[];
  readonly adminSocket?: string;
  readonly sotw?: true;
  readonly grpc?: true;
  readonly locality?: GrpcLocality;
}

const DEFAULT_XDS = "127.0.0.1:18000";

export function bootstrapCommand(context: CliContext): Command {
  return new Command("bootstrap")
    .description("Print the bootstrap configuration of an Envoy, or of a gRPC program, that is to join a fleet")
    .requiredOption("--node-id <id>", "the proxy's unique name, its node.id")
    .requiredOption("--fleet <name>", "the fleet that it joins, its node.cluster")
    .addOption(
      new Option("--xds <host:port[,host:port…]>", "xDS addresses of the plane, one for each replica")
        .argParser(hostPorts)
        .default(hostPorts(DEFAULT_XDS), `"${DEFAULT_XDS}"`),
    )
    .option(
      "--admin-socket <path>",
      "Unix socket for Envoy's admin interface, in a directory of its own that must exist " +
        '(default: "/run/fairlead/NODE-ID/admin.sock")',
      socketPath,
    )
    .option("--sotw", "use state-of-the-world xDS instead of delta, with the limits below")
    .option("--grpc", "print the JSON for a program whose gRPC library speaks xDS, instead of Envoy's configuration")
    .option("--locality <region[/zone[/sub-zone]]>", "where the program runs; only with --grpc", locality)
    .addHelpText(
      "after",
      `
The command does not need a plane. Its output fits Envoy 1.36 and later.

Envoy's admin interface opens no port: read it with curl --unix-socket PATH http://envoy/. Two Envoys must not share a socket,
and nobody else may have access to its directory.

Delta xDS suits all of these versions. State-of-the-world xDS sends clusters and listeners as whole sets. If one apply moved
traffic and deleted what it came from while a proxy was away, a few requests are answered with 503 when it is back; and when
one cluster or listener is refused, it stays unknown whether the others were accepted.

A bootstrap of your own needs dynamic_resources.ads_config, and cds_config and lds_config over ads: without ads_config
Envoy refuses everything ("ADS must be configured to support an ADS config source").

With --grpc, the output is what GRPC_XDS_BOOTSTRAP (the path of a file with it) or GRPC_XDS_BOOTSTRAP_CONFIG (the text itself) is
for grpc-go, grpc-java, C-core and grpc-js. The program then dials xds:///HOST, a host of a route on a listener of protocol GRPC.

Examples:
  fairlead bootstrap --node-id edge-1 --fleet edge > envoy.yaml
  install -d -m 700 /run/fairlead/edge-1 && envoy -c envoy.yaml
  fairlead bootstrap --node-id edge-2 --fleet edge --xds plane.example:18000
  fairlead bootstrap --node-id edge-3 --fleet edge --xds 10.0.0.1:18000,10.0.0.2:18000,10.0.0.3:18000
  fairlead bootstrap --grpc --node-id cart-1 --fleet shops --locality eu/a > grpc.json`,
    )
    .action((flags: BootstrapFlags) => {
      if (flags.grpc === true) {
        const foreign = [
          ...(flags.sotw === true ? ["--sotw"] : []),
          ...(flags.adminSocket === undefined ? [] : ["--admin-socket"]),
        ];
        if (foreign.length > 0)
          throw wrongUsage(`${foreign.join(" and ")} cannot be used with --grpc: only Envoy has it`);
        printText(context.io, jsonText(grpcBootstrap({ ...flags, locality: flags.locality }), 2));
        return;
      }
      if (flags.locality !== undefined) throw wrongUsage("--locality can only be used with --grpc");
      const adminSocket = flags.adminSocket ?? defaultAdminSocket(flags.nodeId);
      if (adminSocket === undefined) {
        throw wrongUsage("the node id cannot name a directory: give the path with --admin-socket");
      }
      printText(context.io, bootstrapYaml({ ...flags, adminSocket, sotw: flags.sotw === true }));
    });
}

function hostPorts(text: string): readonly HostPort[] {
  return text.split(",").map((part) => {
    const parsed = parseHostPort(part);
    if (parsed === undefined) throw new InvalidArgumentError(`Give HOST:PORT such as 10.0.0.1:18000, not "${part}".`);
    return parsed;
  });
}

function locality(text: string): GrpcLocality {
  const parsed = parseLocality(text);
  if (parsed === undefined)
    throw new InvalidArgumentError(`Give REGION[/ZONE[/SUB-ZONE]] such as eu/a, not "${text}".`);
  return parsed;
}

function socketPath(text: string): string {
  if (isSocketPath(text)) return text;
  throw new InvalidArgumentError("Give an absolute path of at most 107 bytes, without quotes or line breaks.");
}
