import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Command, Option } from "commander";
import { AdminService, ReportHealthResponseSchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { Health_Status as Status } from "../../gen/fairlead/admin/v1/backend_pb.ts";
import { WriteResponseSchema } from "../../gen/fairlead/admin/v1/write_pb.ts";
import { wrongUsage } from "../exit.ts";
import { type CliContext, type CliIo, printLine } from "../io.ts";
import { formatMoment, parseMoment } from "../moment.ts";
import { kindNamed, plainBackendName } from "../object-reference.ts";
import { ALLOW_REMOVAL, addWriteOptions, duration, IGNORE_MISSING, writeOptionsOf, writtenText } from "../options.ts";
import { endWrite, type MissingFlags, unlessMissing } from "../write.ts";
import { printObjects } from "./get.ts";

interface HealthFlags extends MissingFlags {
  readonly override?: keyof typeof OVERRIDES;
  readonly for?: number;
  readonly until?: string;
  readonly clear?: true;
  readonly allowRemoval?: true;
  readonly source: string;
}

const OVERRIDES = { unhealthy: Status.UNHEALTHY, healthy: Status.HEALTHY, degraded: Status.DEGRADED } as const;
const OPERATOR = "override";

export function healthCommand(context: CliContext): Command {
  const command = new Command("health")
    .description("Show the verdicts on the health of backends, or override them")
    .argument("[name]", "SERVICE or SERVICE/BACKEND; without it, or with `list`, all of them", plainBackendName)
    .addOption(
      new Option("--override <status>", "set the operator's verdict, which beats all others").choices(
        Object.keys(OVERRIDES),
      ),
    )
    .option("--for <duration>", "with --override: how long it holds (default: until it is cleared)", duration)
    .option("--until <time>", "with --override: when it ends, as a time of day, 18:00, or in full, 2026-11-30T18:00")
    .option("--clear", "withdraw a verdict")
    .option("--source <name>", "with --clear: whose verdict", OPERATOR)
    .option(...ALLOW_REMOVAL)
    .option(...IGNORE_MISSING)
    .addHelpText(
      "after",
      `
Examples:
  fairlead health shop
  fairlead health shop/shop-3 --override unhealthy --for 1h --reason "disk full"
  fairlead health shop/shop-3 --override unhealthy --until 18:00
  fairlead health shop/shop-3 --clear`,
    )
    .action((name: string | undefined, flags: HealthFlags) => health(context, name, flags));
  return addWriteOptions(command);
}

async function health(context: CliContext, name: string | undefined, flags: HealthFlags): Promise<void> {
  const { override, clear } = flags;
  if (override !== undefined && clear === true) throw wrongUsage("use either --override or --clear, not both");
  if (override === undefined && (flags.for !== undefined || flags.until !== undefined)) {
    throw wrongUsage(`${flags.for === undefined ? "--until" : "--for"} needs --override`);
  }
  if (flags.for !== undefined && flags.until !== undefined) throw wrongUsage("use either --for or --until, not both");
  if (override === undefined && clear !== true) {
    await listVerdicts(context, name);
    return;
  }
  if (name?.includes("/") !== true) throw wrongUsage("name the backend: SERVICE/BACKEND");
  if (override === undefined) await withdraw(context, name, flags);
  else await overrule(context, name, { ...flags, override });
}

async function withdraw(context: CliContext, backend: string, flags: HealthFlags): Promise<void> {
  const { source, allowRemoval } = flags;
  const request = { backend, source, allowRemoval: allowRemoval === true, options: writeOptionsOf(flags) };
  const asking = context.admin().call(AdminService.method.clearHealth, request);
  const answer = await unlessMissing(context, flags, asking);
  if (answer === undefined) return;
  context.outcome.putAnswer(WriteResponseSchema, answer);
  printLine(context.io, `  cleared ${source} of ${backend}  ${writtenText(flags, answer.revision)}`);
  await endWrite(context, flags, answer);
}

async function overrule(
  context: CliContext,
  backend: string,
  flags: HealthFlags & { override: keyof typeof OVERRIDES },
): Promise<void> {
  const { io, outcome } = context;
  const { override, until, reason = "", allowRemoval } = flags;
  const forMs = until === undefined ? flags.for : msUntil(until, io);
  const answer = await context.admin().call(AdminService.method.reportHealth, {
    health: { backend, source: OPERATOR, status: OVERRIDES[override], reason },
    ...(forMs !== undefined && { ttl: durationFromMs(forMs) }),
    allowRemoval: allowRemoval === true,
    options: writeOptionsOf(flags),
  });
  const { revision, changed, health: held } = answer;
  outcome.putAnswer(ReportHealthResponseSchema, answer);
  const end = held?.expireTime === undefined ? "" : ` until ${formatMoment(held.expireTime, io)}`;
  const already = changed ? "" : " already";
  printLine(io, `  ${backend} is${already} ${override} by override${end}  ${writtenText(flags, revision)}`);
  await endWrite(context, flags, { revision, hasChanges: changed });
}

/** @throws CliFailure `usage` for text that is not a future time. */
function msUntil(text: string, io: CliIo): number {
  const now = io.clock.now();
  const moment = parseMoment(text, now, io);
  if (moment === undefined) {
    throw wrongUsage(
      `--until takes a time of day such as 18:00, or a date and time such as 2026-11-30T18:00, not "${text}"`,
    );
  }
  if (moment <= now) throw wrongUsage(`--until ${text} is in the past`);
  return moment - now;
}

async function listVerdicts(context: CliContext, name: string | undefined): Promise<void> {
  const all = name === undefined || name === "list";
  const entry = kindNamed("health");
  const service = all ? "" : (/^(projects\/[^/]+\/services\/[^/]+|[^/]+)/.exec(name)?.[0] ?? name);
  const shown = await entry.list(context.admin(), { service, labels: {} }, context.io);
  const wanted = shown.filter(({ json }) => all || name === service || json["backend"] === name);
  context.outcome.putList(wanted.map(({ json }) => json));
  printObjects(context, entry, wanted);
}
