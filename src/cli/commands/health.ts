import { Command, Option } from "commander";
import { AdminService, ReportHealthResponseSchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { Health_Status as Status } from "../../gen/fairlead/admin/v1/backend_pb.ts";
import { WriteResponseSchema } from "../../gen/fairlead/admin/v1/write_pb.ts";
import { jsonText } from "../data-text.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { type MissingFlags, unlessMissing } from "../ignore-missing.ts";
import { type CliContext, type CliIo, noteLine, printLine, printLines, printText } from "../io.ts";
import { formatMoment, parseMoment } from "../moment.ts";
import { kindNamed, plainBackendName } from "../object-reference.ts";
import {
  allowRemovalOption,
  duration,
  ignoreMissingOption,
  type OutputForm,
  outputOption,
  waitOptions,
  writeOptions,
  writeOptionsOf,
  writtenText,
} from "../options.ts";
import { tableLines } from "../table.ts";
import { toDuration } from "../time-text.ts";
import { printWait } from "../wait.ts";

interface HealthFlags extends MissingFlags {
  readonly override?: keyof typeof OVERRIDES;
  readonly for?: number;
  readonly until?: string;
  readonly clear?: true;
  readonly allowRemoval?: true;
  readonly source: string;
  readonly output: OutputForm;
}

const OVERRIDES = { unhealthy: Status.UNHEALTHY, healthy: Status.HEALTHY, degraded: Status.DEGRADED } as const;
const OPERATOR = "override";

export function healthCommand(context: CliContext): Command {
  const command = new Command("health")
    .description("Show verdicts on backends, or overrule them")
    .argument("[name]", "SERVICE or SERVICE/BACKEND; without it, or with `list`, all of them", plainBackendName)
    .addOption(
      new Option("--override <status>", "the operator's word, which beats every other").choices(Object.keys(OVERRIDES)),
    )
    .option("--for <duration>", "with --override: until when it counts (default: until it is cleared)", duration)
    .option("--until <time>", "with --override: the time of day, 18:00, or the moment, 2026-11-30T18:00, when it ends")
    .option("--clear", "take a verdict back")
    .option("--source <name>", "with --clear: whose verdict", OPERATOR)
    .addOption(allowRemovalOption())
    .addOption(ignoreMissingOption())
    .addOption(outputOption("table", "json"))
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
  for (const option of [...writeOptions(), ...waitOptions("return when the proxies have acknowledged it")])
    command.addOption(option);
  return command;
}

async function health(context: CliContext, name: string | undefined, flags: HealthFlags): Promise<void> {
  if (flags.override !== undefined && flags.clear === true) {
    throw new CliFailure(EXIT.usage, "give either --override or --clear");
  }
  if (flags.override === undefined && (flags.for !== undefined || flags.until !== undefined)) {
    throw new CliFailure(EXIT.usage, `${flags.for === undefined ? "--until" : "--for"} needs --override`);
  }
  if (flags.for !== undefined && flags.until !== undefined) {
    throw new CliFailure(EXIT.usage, "give either --for or --until");
  }
  if (flags.override === undefined && flags.clear !== true) {
    await listVerdicts(context, name, flags.output);
    return;
  }
  if (name?.includes("/") !== true) throw new CliFailure(EXIT.usage, "name the backend: SERVICE/BACKEND");
  if (flags.clear === true) {
    const asking = context.admin().call(AdminService.method.clearHealth, {
      backend: name,
      source: flags.source,
      allowRemoval: flags.allowRemoval === true,
      options: writeOptionsOf(flags),
    });
    const answer = await unlessMissing(context, flags, asking);
    if (answer === undefined) return;
    context.outcome.putAnswer(WriteResponseSchema, answer);
    printLine(context.io, `  cleared ${flags.source} of ${name}  ${writtenText(flags, answer.revision)}`);
    context.outcome.endDryRun(flags, true);
    if (flags.wait === true && flags.dryRun !== true) await printWait(context, answer.revision, flags);
  } else if (flags.override !== undefined) {
    await overrule(context, name, { ...flags, override: flags.override });
  }
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
    health: {
      backend,
      source: OPERATOR,
      status: OVERRIDES[override],
      reason,
    },
    ...(forMs !== undefined && { ttl: toDuration(forMs) }),
    allowRemoval: allowRemoval === true,
    options: writeOptionsOf(flags),
  });
  const { revision, changed, health: held } = answer;
  outcome.putAnswer(ReportHealthResponseSchema, answer);
  const end = held?.expireTime === undefined ? "" : ` until ${formatMoment(held.expireTime, io)}`;
  const already = changed ? "" : " already";
  printLine(io, `  ${backend} is ${override} by override${end}${already}  ${writtenText(flags, revision)}`);
  outcome.endDryRun(flags, changed);
  if (flags.wait === true && flags.dryRun !== true) await printWait(context, revision, flags);
}

/** @throws CliFailure `usage` for text that is not a future time. */
function msUntil(text: string, io: CliIo): number {
  const now = io.clock.now();
  const moment = parseMoment(text, now, io);
  if (moment === undefined) {
    throw new CliFailure(
      EXIT.usage,
      `--until is no time of day such as 18:00, nor a moment such as 2026-11-30T18:00, but "${text}"`,
    );
  }
  if (moment <= now) throw new CliFailure(EXIT.usage, `--until ${text} is past`);
  return moment - now;
}

async function listVerdicts(context: CliContext, name: string | undefined, output: OutputForm): Promise<void> {
  const { io } = context;
  const all = name === undefined || name === "list";
  const entry = kindNamed("health");
  const service = all ? "" : (/^(projects\/[^/]+\/services\/[^/]+|[^/]+)/.exec(name)?.[0] ?? name);
  const shown = (await entry.list(context.admin(), { service, labels: {} }, io)).filter(
    ({ json }) => all || name === service || json.backend === name,
  );
  const json = shown.map((one) => one.json);
  const rows = shown.map(({ cells }) => cells);
  if (output === "json") printText(io, jsonText(json, 2));
  else if (rows.length === 0) noteLine(io, "no verdicts");
  else printLines(io, tableLines(entry.columns, rows, { ...io, spare: entry.spare ?? [] }));
}
