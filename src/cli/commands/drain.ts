import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { SERVICE_TIMES } from "../../domain/service.ts";
import { AdminService, WriteBackendResponseSchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type Backend, Backend_State as State } from "../../gen/fairlead/admin/v1/backend_pb.ts";
import { ifThere } from "../admin-error.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { type CliContext, printLine } from "../io.ts";
import {
  ALLOW_REMOVAL,
  addWriteOptions,
  backendName,
  IGNORE_MISSING,
  writeOptionsOf,
  writtenText,
} from "../options.ts";
import { poll, renderBar } from "../progress.ts";
import { formatDuration } from "../time-text.ts";
import { followWait, printOutcome, printWait } from "../wait.ts";
import { type MissingFlags, unlessMissing } from "../write.ts";

interface DrainFlags extends MissingFlags {
  readonly undo?: true;
  readonly allowRemoval?: true;
}

/** The API's limit. */
const MAX_WAIT_MS = 3_600_000;

export function drainCommand(context: CliContext): Command {
  const command = new Command("drain")
    .description("Take a backend out of rotation: it gets no new requests, finishes those it has, and is removed")
    .argument("<backend>", "SERVICE/BACKEND", backendName)
    .option("--undo", "put it back into rotation")
    .option(...ALLOW_REMOVAL)
    .option(...IGNORE_MISSING)
    .addHelpText(
      "after",
      `
With --wait the command returns once it is safe to stop the process: every connected proxy has acknowledged the change, the
service's drain time has passed, and the backend is removed. --timeout is how late the proxies, and then the removal, may be.
Disconnected proxies are listed. If one of them is not back by then, it may still send requests to the backend, and the
command exits with 3, unless --on-disconnected is skip.

Examples:
  fairlead drain shop/shop-1 --wait && systemctl stop shop
  fairlead drain shop/shop-2 --undo`,
    )
    .action((name: string, flags: DrainFlags) => drain(context, name, flags));
  return addWriteOptions(command, "until it is safe to stop the backend");
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
    const why = `removed, but not safe to stop ${id}: these proxies have not acknowledged that and may still send requests to it`;
    throw new CliFailure(EXIT.notReached, [why, ...missing]);
  }
  context.outcome.put({ removed: true });
  printLine(io, `  removed       safe to stop ${id}`);
}

/** Returns when the backend is gone, or another one of that name exists. */
async function waitForRemoval(
  context: CliContext,
  { name, meta, drainTime }: Backend,
  { drainMs, lateMs }: { drainMs: number; lateMs: number },
): Promise<void> {
  const { clock } = context.io;
  // By the store's clock, which may differ from this machine's; the drain takes equally long by either.
  const begunAt = drainTime === undefined ? clock.now() : timestampMs(drainTime);
  const startedAt = clock.monotonic() - Math.min(drainMs, Math.max(0, clock.now() - begunAt));
  const deadline = startedAt + drainMs + lateMs;
  await poll(context.io, deadline, async () => {
    const now = await ifThere(context.admin().call(AdminService.method.getBackend, { name }));
    if (now === undefined || now.meta?.uid !== meta?.uid) return undefined;
    if (now.state !== State.DRAINING) {
      throw new CliFailure(EXIT.failed, `somebody has undone the drain of ${name}: do not stop it`);
    }
    if (clock.monotonic() >= deadline) {
      throw new CliFailure(EXIT.notReached, `${name} is draining, but was not removed in time`);
    }
    const passed = Math.min(drainMs, clock.monotonic() - startedAt);
    return `  waiting       ${renderBar(passed / drainMs)}  ${formatDuration(passed)} of ${formatDuration(drainMs)}`;
  });
}

async function drainTimeOf(context: CliContext, { name }: Backend): Promise<number> {
  const service = name.slice(0, name.lastIndexOf("/")).replace(/\/backends$/, "");
  const found = await ifThere(context.admin().call(AdminService.method.getService, { name: service }));
  return found?.drainTime === undefined ? SERVICE_TIMES.drainTime.otherwiseMs : durationMs(found.drainTime);
}
