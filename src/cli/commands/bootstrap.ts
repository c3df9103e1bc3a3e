import { Command, InvalidArgumentError } from "commander";
import { bootstrapYaml, defaultAdminSocket, type HostPort, isSocketPath, parseHostPort } from "../bootstrap-config.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { type CliContext, printText } from "../io.ts";

interface BootstrapFlags {
  readonly nodeId: string;
  readonly fleet: string;
  readonly xds: readonly HostPort[];
  readonly adminSocket?: string;
  readonly sotw?: true;
}

const DEFAULT_XDS = "127.0.0.1:18000";

export function bootstrapCommand(context: CliContext): Command {
  return new Command("bootstrap")
    .description("Print the bootstrap with which an Envoy joins a fleet")
    .requiredOption("--node-id <id>", "the proxy's own name, unique")
    .requiredOption("--fleet <name>", "the fleet it belongs to; becomes `node.cluster`")
    .option(
      "--xds <host:port[,host:port…]>",
      `xDS addresses of the plane, one for each replica (default: "${DEFAULT_XDS}")`,
      hostPorts,
      hostPorts(DEFAULT_XDS),
    )
    .option(
      "--admin-socket <path>",
      "Unix socket of Envoy's own admin page, in a directory of its own that must be there " +
        '(default: "/run/fairlead/NODE-ID/admin.sock")',
      socketPath,
    )
    .option("--sotw", "state-of-the-world xDS instead of delta, with the limits below")
    .addHelpText(
      "after",
      `
It asks nothing of the plane, and fits Envoy 1.36 and later. Envoy's admin page opens no port: read it with
curl --unix-socket PATH http://envoy/. Two Envoys must not have the same socket, nor others a way into its directory.

Delta is right for all of these. Over --sotw, clusters and listeners come as whole sets: where one apply moved traffic and
deleted what it came from while a proxy was away, a few requests are answered 503 when it comes back; and when one cluster
or listener is refused, those beside it stay in doubt.

A bootstrap of your own needs dynamic_resources.ads_config, and cds_config and lds_config over ads: without ads_config
Envoy refuses everything ("ADS must be configured to support an ADS config source").

Examples:
  fairlead bootstrap --node-id edge-1 --fleet edge > envoy.yaml
  install -d -m 700 /run/fairlead/edge-1 && envoy -c envoy.yaml
  fairlead bootstrap --node-id edge-2 --fleet edge --xds plane.example:18000
  fairlead bootstrap --node-id edge-3 --fleet edge --xds 10.0.0.1:18000,10.0.0.2:18000,10.0.0.3:18000`,
    )
    .action((flags: BootstrapFlags) => {
      const adminSocket = flags.adminSocket ?? defaultAdminSocket(flags.nodeId);
      if (adminSocket === undefined) {
        throw new CliFailure(EXIT.usage, "the node id is no name of a directory: say where with --admin-socket");
      }
      printText(context.io, bootstrapYaml({ ...flags, adminSocket, sotw: flags.sotw === true }));
    });
}

function hostPorts(text: string): readonly HostPort[] {
  return text.split(",").map((part) => {
    const parsed = parseHostPort(part);
    if (parsed === undefined) throw new InvalidArgumentError(`"${part}" is no HOST:PORT such as 10.0.0.1:18000.`);
    return parsed;
  });
}

function socketPath(text: string): string {
  if (isSocketPath(text)) return text;
  throw new InvalidArgumentError("It must be an absolute path of at most 107 bytes, without quotes and line breaks.");
}
