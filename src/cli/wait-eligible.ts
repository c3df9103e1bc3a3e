import { AdminService } from "../gen/fairlead/admin/v1/admin_pb.ts";
import type { Backend } from "../gen/fairlead/admin/v1/backend_pb.ts";
import type { ExplainBackendResponse } from "../gen/fairlead/admin/v1/explain_pb.ts";
import { AdminError } from "./admin-error.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { type CliContext, printLine } from "./io.ts";
import { Progress } from "./progress.ts";
import { cellText } from "./table.ts";
import { formatDuration } from "./time-text.ts";
import { NEWEST_REVISION } from "./wait.ts";

const POLL_MS = 500;
/** Reasons that a verdict ends. What ends the others, such as the removal of another backend, leaves no trace here. */
const VERDICTS = ["pending", "unhealthy"];

/**
 * Waits until new requests may go to a backend, which includes its health verdict, and prints why they may. Returns the
 * revision at which that was so, which is what the proxies have to acknowledge.
 *
 * @throws CliFailure with `notReached` and what its checks say when it is not eligible in time, with `failed` when somebody
 * removes it meanwhile.
 */
export async function waitUntilEligible(context: CliContext, backend: Backend, timeoutMs: number): Promise<string> {
  const { clock, signal } = context.io;
  const progress = new Progress(context.io);
  const startedAt = clock.monotonic();
  let reason: string | undefined;
  try {
    for (;;) {
      const now = await stillRegistered(context, backend);
      if (now.status?.eligible === true) break;
      reason = now.status?.reason ?? "";
      const waited = clock.monotonic() - startedAt;
      if (waited >= timeoutMs) throw notEligible(await explained(context, backend), waited);
      progress.show(`  waiting       ${cellText(now.status?.message ?? "")}`);
      await clock.sleep(Math.min(POLL_MS, timeoutMs - waited), signal);
    }
  } finally {
    progress.clear();
  }
  const { backend: now, revision, leftOut } = await explained(context, backend);
  printLine(context.io, `  eligible      ${cellText(now?.status?.message ?? "")}`);
  for (const { fleet, reason } of leftOut) {
    printLine(context.io, `  left out      of what the proxies of fleet ${fleet} are told: ${cellText(reason)}`);
  }
  const isByVerdict = reason !== undefined && VERDICTS.includes(reason) && revision !== backend.meta?.version;
  return reason === undefined || isByVerdict ? revision : NEWEST_REVISION;
}

/**
 * A backend as it is now that it was registered.
 *
 * @throws CliFailure with `failed` when somebody has removed it meanwhile.
 */
export async function stillRegistered(context: CliContext, { name, meta }: Backend): Promise<Backend> {
  try {
    const now = await context.admin().call(AdminService.method.getBackend, { name });
    if (now.meta?.uid === meta?.uid) return now;
  } catch (error) {
    if (!(error instanceof AdminError) || !error.isNotFound) throw error;
  }
  throw new CliFailure(EXIT.failed, `${name} was registered, but somebody has removed it meanwhile`);
}

function explained(context: CliContext, { name }: Backend): Promise<ExplainBackendResponse> {
  return context.admin().call(AdminService.method.explainBackend, { name });
}

function notEligible({ backend, checks }: ExplainBackendResponse, waitedMs: number): CliFailure {
  const [newest] = checks;
  return new CliFailure(EXIT.notReached, [
    `not eligible in ${formatDuration(waitedMs)}: the change is made, but no new request goes to ${backend?.name}`,
    `  ${cellText(backend?.status?.message ?? "")}`,
    ...(newest === undefined || newest.reason === "" ? [] : [`  newest check: ${cellText(newest.reason)}`]),
  ]);
}
