import { Command } from "commander";
import { AdminService, WriteBackendResponseSchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { Change_Action as Action, type Change } from "../../gen/fairlead/admin/v1/apply_pb.ts";
import { fieldText } from "../change-text.ts";
import { wrongUsage } from "../exit.ts";
import { type CliContext, printLine } from "../io.ts";
import {
  addWriteOptions,
  backendName,
  labelOption,
  type WriteFlags,
  wholeNumber,
  writeOptionsOf,
  writtenText,
} from "../options.ts";
import { cellText } from "../table.ts";
import { printWait } from "../wait.ts";
import { stillRegistered, waitUntilEligible } from "../wait-eligible.ts";

interface RegisterFlags extends WriteFlags {
  readonly address?: string;
  readonly pipe?: string;
  readonly weight?: number;
  readonly region?: string;
  readonly zone?: string;
  readonly subZone?: string;
  readonly priority?: number;
  readonly metadata?: Record<string, string>;
  readonly label?: Record<string, string>;
}

export function registerCommand(context: CliContext): Command {
  const command = new Command("register")
    .description("Add a backend to a service, or change a registered one")
    .argument("<backend>", "SERVICE/BACKEND", backendName)
    .option("--address <ip:port>", "address that it listens on, 10.0.4.7:9001 or [2001:db8::1]:9001")
    .option("--pipe <path>", "instead of --address: a Unix socket on the proxy's machine")
    .option("--weight <number>", "its share of the traffic, relative to the others (new: 1)", wholeNumber)
    .option("--region <name>", "region that it is in")
    .option("--zone <name>", "zone within the region")
    .option("--sub-zone <name>", "zone within the zone")
    .option(
      "--priority <number>",
      "0 gets the traffic while enough backends there are healthy, then 1, … (new: 0)",
      wholeNumber,
    )
    .addOption(labelOption("--metadata <key=value>", "metadata for Envoy"))
    .addOption(labelOption("-l, --label <key=value>", "a label of the backend"))
    .addHelpText(
      "after",
      `
Options that are not given leave a registered backend as it is.

With --wait the command returns once new requests go to the backend: its checks have found it healthy, and the proxies have
acknowledged that. If that does not happen within --timeout, it says what the checks found and exits with 3.

Examples:
  fairlead register shop/shop-4 --address 10.0.4.7:9001
  fairlead register shop/shop-4 --address 10.0.4.7:9001 --weight 2 --zone eu-1a --wait`,
    )
    .action((name: string, flags: RegisterFlags) => register(context, name, flags));
  return addWriteOptions(command, "until it is eligible and the proxies have acknowledged that");
}

async function register(context: CliContext, name: string, flags: RegisterFlags): Promise<void> {
  const answer = await context.admin().call(AdminService.method.registerBackend, {
    backend: {
      name,
      ...targetOf(flags),
      ...(flags.weight !== undefined && { weight: flags.weight }),
      ...(flags.priority !== undefined && { priority: flags.priority }),
      metadata: flags.metadata ?? {},
      labels: flags.label ?? {},
      ...localityOf(flags),
    },
    options: writeOptionsOf(flags),
  });
  const { backend, change, revision } = answer;
  context.outcome.putAnswer(WriteBackendResponseSchema, answer);
  printLine(context.io, `  ${registeredText(backend?.name ?? name, change)}  ${writtenText(flags, revision)}`);
  context.outcome.endDryRun(flags, revision === "");
  if (backend === undefined || flags.dryRun === true) return;
  const { status } = await stillRegistered(context, backend);
  if (status?.eligible === false) printLine(context.io, `  not eligible  ${cellText(status.message)}`);
  if (flags.wait !== true) return;
  const { clock } = context.io;
  const deadline = clock.monotonic() + flags.timeout;
  const eligibleAt = await waitUntilEligible(context, backend, flags.timeout);
  await printWait(context, eligibleAt, { ...flags, timeout: Math.max(1, Math.round(deadline - clock.monotonic())) });
}

/** `changed shop/a  weight 1 → 2`; a plane of an earlier release does not say what it changed. */
function registeredText(name: string, change: Change | undefined): string {
  if (change?.action === Action.UNCHANGED) return `registered ${name}  unchanged`;
  if (change?.action === Action.UPDATE) return `changed ${[name, ...change.fields.map(fieldText)].join("  ")}`;
  return `registered ${name}`;
}

function targetOf({ address, pipe }: RegisterFlags) {
  if (address !== undefined && pipe !== undefined) throw wrongUsage("use either --address or --pipe, not both");
  if (address !== undefined) return { target: { case: "address", value: address } } as const;
  return pipe === undefined ? {} : ({ target: { case: "pipe", value: pipe } } as const);
}

function localityOf({ region = "", zone = "", subZone = "" }: RegisterFlags) {
  return [region, zone, subZone].every((part) => part === "") ? {} : { locality: { region, zone, subZone } };
}
