import { Command } from "commander";
import { SERVICE_TIMES } from "../../domain/service.ts";
import { AdminService, WriteBackendResponseSchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type Backend, Backend_State as State } from "../../gen/fairlead/admin/v1/backend_pb.ts";
import { AdminError } from "../admin-error.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { type MissingFlags, unlessMissing } from "../ignore-missing.ts";
import { type CliContext, printLine } from "../io.ts";
import {
  allowRemovalOption,
  backendName,
  ignoreMissingOption,
  outputOption,
  waitOptions,
  writeOptions,
  writeOptionsOf,
  writtenText,
} from "../options.ts";
import { Progress, renderBar } from "../progress.ts";
import { formatDuration, fromDuration, fromTimestamp } from "../time-text.ts";
import { followWait, printOutcome, printWait } from "../wait.ts";

interface DrainFlags extends MissingFlags {
  readonly undo?: true;
  readonly allowRemoval?: true;
}

/** The API's limit. */
const MAX_WAIT_MS = 3_600_000;
const POLL_MS = 500;

export function drainCommand(context: CliContext): Command {
  const command = new Command("drain")
    .description("Take a backend out of rotation: no new request, what it has may finish, then it is removed")
    .argument("<backend>", "SERVICE/BACKEND", backendName)
    .option("--undo", "put it back into rotation")
    .addOption(allowRemovalOption())
    .addOption(ignoreMissingOption())
    .addOption(outputOption("table", "json"))
    .addHelpText(
      "after",
      `
With --wait it returns when every connected proxy has acknowledged, the drain time of the service has passed and the
backend is removed: it is safe to stop the process then. --timeout is how long the proxies, and then the removal, may be
late. Proxies that are away are named; one that has not come back by then may still send requests to the backend, and
makes the command exit with 3, unless --on-disconnected is skip.

Examples:
  fairlead drain shop/shop-1 --wait && systemctl stop shop
  fairlead drain shop/shop-2 --undo`,
    )
    .action((name: string, flags: DrainFlags) => drain(context, name, flags));
  for (const option of [...writeOptions(), ...waitOptions("return when it is safe to stop the backend")])
    command.addOption(option);
  return command;
}

async function drain(context: CliContext, name: string, flags: DrainFlags): Promise<void> {
  const { io } = context;
  const undo = flags.undo === true;
  const request = { name, undo, allowRemoval: flags.allowRemoval === true, options: writeOptionsOf(flags) };
  const asking = context.admin().call(AdminService.method.drainBackend, request);
  const answer = await unlessMissing(context, flags, asking);
  if (answer === undefined) return;
  const { backend, revision } = answer;
  context.outcome.putAnswer(WriteBackendResponseSchema, answer);
  if (flags.wait !== true || flags.dryRun === true) {
    printLine(io, `  ${undo ? "active again" : "draining"} ${name}  ${writtenText(flags, revision)}`);
    context.outcome.endDryRun(flags, revision === "");
    return;
  }
  if (undo || backend === undefined) {
    await printWait(context, revision, flags, "active        ");
    return;
  }
  const drainMs = await drainTimeOf(context, backend);
  const wait = followWait(context, revision, flags, Math.min(drainMs + flags.timeout, MAX_WAIT_MS));
  try {
    printOutcome(io, "draining      ", await wait.connected);
    await waitForRemoval(context, backend, { drainMs, lateMs: flags.timeout });
  } finally {
    wait.end();
  }
  const id = name.split("/").at(-1);
  const missing = wait.missing();
  if (missing.length > 0) {
    const why = `removed, but not safe to stop ${id}: who has not acknowledged may still send requests to it`;
    throw new CliFailure(EXIT.notReached, [why, ...missing]);
  }
  context.outcome.put({ removed: true });
  printLine(io, `  removed       safe to stop ${id}`);
}

/** Returns when the backend is gone, or another one of that name exists. */
async function waitForRemoval(
  context: CliContext,
  draining: Backend,
  { drainMs, lateMs }: { drainMs: number; lateMs: number },
): Promise<void> {
  const { clock } = context.io;
  // By the store's clock, which may differ from this machine's; the drain takes equally long by either.
  const begunAt = draining.drainTime === undefined ? clock.now() : fromTimestamp(draining.drainTime);
  const passedMs = Math.min(drainMs, Math.max(0, clock.now() - begunAt));
  const startedAt = clock.monotonic() - passedMs;
  const progress = new Progress(context.io);
  const deadline = startedAt + drainMs + lateMs;
  try {
    for (;;) {
      const now = await currentBackend(context, draining.name);
      if (now === undefined || now.meta?.uid !== draining.meta?.uid) return;
      if (now.state !== State.DRAINING) {
        throw new CliFailure(EXIT.failed, `the drain of ${draining.name} was taken back: do not stop it`);
      }
      if (clock.monotonic() > deadline) {
        throw new CliFailure(EXIT.notReached, `${draining.name} drains, but was not removed in time`);
      }
      const passed = Math.min(drainMs, clock.monotonic() - startedAt);
      progress.show(
        `  waiting       ${renderBar(passed / drainMs)}  ${formatDuration(passed)} of ${formatDuration(drainMs)}`,
      );
      await clock.sleep(POLL_MS, context.io.signal);
    }
  } finally {
    progress.clear();
  }
}

async function drainTimeOf(context: CliContext, { name }: Backend): Promise<number> {
  const service = name.slice(0, name.lastIndexOf("/")).replace(/\/backends$/, "");
  try {
    const { drainTime } = await context.admin().call(AdminService.method.getService, { name: service });
    return drainTime === undefined ? SERVICE_TIMES.drainTime.otherwiseMs : fromDuration(drainTime);
  } catch (error) {
    if (error instanceof AdminError && error.isNotFound) return SERVICE_TIMES.drainTime.otherwiseMs;
    throw error;
  }
}

async function currentBackend(context: CliContext, name: string): Promise<Backend | undefined> {
  try {
    return await context.admin().call(AdminService.method.getBackend, { name });
  } catch (error) {
    if (error instanceof AdminError && error.isNotFound) return undefined;
    throw error;
  }
}
