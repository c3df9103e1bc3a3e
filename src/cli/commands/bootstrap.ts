import { Command, InvalidArgumentError } from "commander";
import { bootstrapYaml, type HostPort, parseHostPort } from "../bootstrap-config.ts";
import { type CliContext, printText } from "../io.ts";
import { wholeNumber } from "../options.ts";

interface BootstrapFlags {
  readonly nodeId: string;
  readonly fleet: string;
  readonly xds: readonly HostPort[];
  readonly adminPort: number;
  readonly sotw?: true;
}

const DEFAULT_XDS = "127.0.0.1:18000";
const DEFAULT_ADMIN_PORT = 9901;
const PORT_MAX = 65_535;

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
      "--admin-port <port>",
      "of Envoy's own admin page, on loopback; 0 takes a free one",
      port,
      DEFAULT_ADMIN_PORT,
    )
    .option("--sotw", "state-of-the-world xDS instead of delta")
    .addHelpText(
      "after",
      `
It asks nothing of the plane, and fits Envoy 1.36 and later.

Examples:
  fairlead bootstrap --node-id edge-1 --fleet edge > envoy.yaml && envoy -c envoy.yaml
  fairlead bootstrap --node-id edge-2 --fleet edge --xds plane.example:18000
  fairlead bootstrap --node-id edge-3 --fleet edge --xds 10.0.0.1:18000,10.0.0.2:18000,10.0.0.3:18000`,
    )
    .action((flags: BootstrapFlags) => {
      printText(context.io, bootstrapYaml({ ...flags, sotw: flags.sotw === true }));
    });
}

function hostPorts(text: string): readonly HostPort[] {
  return text.split(",").map((part) => {
    const parsed = parseHostPort(part);
    if (parsed === undefined) throw new InvalidArgumentError(`"${part}" is no HOST:PORT such as 10.0.0.1:18000.`);
    return parsed;
  });
}

function port(text: string): number {
  const number = wholeNumber(text);
  if (number > PORT_MAX) throw new InvalidArgumentError(`A port is at most ${PORT_MAX}.`);
  return number;
}
