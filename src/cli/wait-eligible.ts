import { AdminService } from "../gen/fairlead/admin/v1/admin_pb.ts";
import type { Backend } from "../gen/fairlead/admin/v1/backend_pb.ts";
import type { ExplainBackendResponse } from "../gen/fairlead/admin/v1/explain_pb.ts";
import { ifThere } from "./admin-error.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { type CliContext, printLine } from "./io.ts";
import { poll } from "./progress.ts";
import { cellText } from "./table.ts";
import { formatDuration } from "./time-text.ts";
import { NEWEST_REVISION } from "./wait.ts";

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
  const { io } = context;
  const startedAt = io.clock.monotonic();
  let reason: string | undefined;
  await poll(io, startedAt + timeoutMs, async () => {
    const { status } = await stillRegistered(context, backend);
    if (status?.eligible === true) return status;
    reason = status?.reason ?? "";
    const waited = io.clock.monotonic() - startedAt;
    if (waited >= timeoutMs) throw notEligible(await explained(context, backend), waited);
    return `  waiting       ${cellText(status?.message ?? "")}`;
  });
  const { backend: now, revision, leftOut } = await explained(context, backend);
  printLine(io, `  eligible      ${cellText(now?.status?.message ?? "")}`);
  for (const { fleet, reason } of leftOut) {
    printLine(io, `  left out      the proxies of fleet ${fleet} do not get it: ${cellText(reason)}`);
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
  const now = await ifThere(context.admin().call(AdminService.method.getBackend, { name }));
  if (now !== undefined && now.meta?.uid === meta?.uid) return now;
  throw new CliFailure(EXIT.failed, `${name} was registered, but has been removed since by somebody else`);
}

function explained(context: CliContext, { name }: Backend): Promise<ExplainBackendResponse> {
  return context.admin().call(AdminService.method.explainBackend, { name });
}

function notEligible({ backend, checks }: ExplainBackendResponse, waitedMs: number): CliFailure {
  const [newest] = checks;
  return new CliFailure(EXIT.notReached, [
    `not eligible in ${formatDuration(waitedMs)}: the change was made, but ${backend?.name} gets no new requests`,
    `  ${cellText(backend?.status?.message ?? "")}`,
    ...(newest === undefined || newest.reason === "" ? [] : [`  latest check: ${cellText(newest.reason)}`]),
  ]);
}
