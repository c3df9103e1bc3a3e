import { Command } from "commander";
import { AdminService, WriteBackendResponseSchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { type CliContext, printLine } from "../io.ts";
import {
  backendName,
  labelOption,
  outputOption,
  type WaitFlags,
  type WriteFlags,
  waitOptions,
  wholeNumber,
  writeOptions,
  writeOptionsOf,
  writtenText,
} from "../options.ts";
import { printWait } from "../wait.ts";

interface RegisterFlags extends WaitFlags, WriteFlags {
  readonly address?: string;
  readonly pipe?: string;
  readonly weight?: number;
  readonly region?: string;
  readonly zone?: string;
  readonly subZone?: string;
  readonly priority: number;
  readonly metadata: Record<string, string>;
  readonly label: Record<string, string>;
}

export function registerCommand(context: CliContext): Command {
  const command = new Command("register")
    .description("Add a backend to a service, or change a registered one")
    .argument("<backend>", "SERVICE/BACKEND", backendName)
    .option("--address <ip:port>", "where it listens: 10.0.4.7:9001 or [2001:db8::1]:9001")
    .option("--pipe <path>", "instead of --address: a Unix socket on the proxy's machine")
    .option("--weight <number>", "its share of the traffic relative to the others (default: 1)", wholeNumber)
    .option("--region <name>", "where it stands, as far as that is of use")
    .option("--zone <name>", "within the region")
    .option("--sub-zone <name>", "within the zone")
    .option("--priority <number>", "0 gets the traffic while enough of it is healthy, then 1, …", wholeNumber, 0)
    .addOption(labelOption("--metadata <key=value>", "a fact about it, handed to Envoy; repeatable"))
    .addOption(labelOption("-l, --label <key=value>", "a label; repeatable"))
    .addOption(outputOption("table", "json"))
    .addHelpText(
      "after",
      `
Examples:
  fairlead register shop/shop-4 --address 10.0.4.7:9001
  fairlead register shop/shop-4 --address 10.0.4.7:9001 --weight 2 --zone eu-1a --wait`,
    )
    .action((name: string, flags: RegisterFlags) => register(context, name, flags));
  for (const option of [...writeOptions(), ...waitOptions("return when the proxies have acknowledged it")])
    command.addOption(option);
  return command;
}

async function register(context: CliContext, name: string, flags: RegisterFlags): Promise<void> {
  const answer = await context.admin().call(AdminService.method.registerBackend, {
    backend: {
      name,
      target: targetOf(flags),
      weight: flags.weight ?? 0,
      priority: flags.priority,
      metadata: flags.metadata,
      labels: flags.label,
      ...localityOf(flags),
    },
    options: writeOptionsOf(flags),
  });
  const { backend, revision } = answer;
  context.outcome.putAnswer(WriteBackendResponseSchema, answer);
  printLine(context.io, `  registered ${backend?.name ?? name}  ${writtenText(flags, revision)}`);
  context.outcome.endDryRun(flags, revision === "");
  if (flags.wait === true && flags.dryRun !== true) await printWait(context, revision, flags);
}

function targetOf({ address, pipe }: RegisterFlags) {
  if (address !== undefined && pipe === undefined) return { case: "address", value: address } as const;
  if (pipe !== undefined && address === undefined) return { case: "pipe", value: pipe } as const;
  throw new CliFailure(EXIT.usage, "give either --address or --pipe");
}

function localityOf({ region = "", zone = "", subZone = "" }: RegisterFlags) {
  return [region, zone, subZone].every((part) => part === "") ? {} : { locality: { region, zone, subZone } };
}
