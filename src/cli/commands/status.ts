import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type GetStatusResponse, GetStatusResponseSchema } from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { messageText } from "../data-text.ts";
import { EXIT } from "../exit.ts";
import { type CliContext, printLines, printText } from "../io.ts";
import { type OutputForm, outputOption } from "../options.ts";
import { tableLines } from "../table.ts";
import { formatAge, formatAgo } from "../time-text.ts";

export function statusCommand(context: CliContext): Command {
  return new Command("status")
    .description("How the plane, its proxies and its services are, and what needs a look")
    .option("--check", "exit with 1 when there is a problem")
    .addOption(outputOption("table", "json"))
    .addHelpText(
      "after",
      `
Examples:
  fairlead status
  fairlead status --check || echo "needs a look"
  fairlead status -o json | jq '.problems'`,
    )
    .action(async (flags: { output: OutputForm; check?: true }) => {
      const status = await context.admin().call(AdminService.method.getStatus, {});
      if (flags.check === true && status.problems.length > 0) context.outcome.exitCode = EXIT.failed;
      if (flags.output === "json") {
        printText(context.io, messageText(GetStatusResponseSchema, status, 2));
      } else {
        printLines(context.io, renderStatus(status, context.io.clock.now()));
      }
    });
}

function renderStatus(status: GetStatusResponse, nowMs: number): string[] {
  const lastWrite = status.lastWriteTime === undefined ? "" : `, last write ${formatAgo(status.lastWriteTime, nowMs)}`;
  const copies = status.storeCopies > 1 ? `, ${status.storeCopies} copies` : "";
  const degraded = status.services - status.servicesWhole;
  return [
    `  plane      ${replicasText(status)}, version ${status.version}; store ${status.store}${copies}${lastWrite}`,
    `  proxies    ${status.proxiesConnected} connected, ${status.proxiesUpToDate} up to date${
      status.proxiesRefusing > 0 ? `, ${status.proxiesRefusing} refused something` : ""
    }`,
    `  services   ${status.services}, ${status.servicesWhole} whole${degraded > 0 ? `, ${degraded} degraded` : ""}`,
    `  backends   ${status.backends}, ${status.backendsEligible} eligible`,
    ...renderProblems(status, nowMs),
  ];
}

/** Ticks move revisions on all the time, so that live replicas a moment apart are told as one. */
function replicasText({ replicas, replica, revision }: GetStatusResponse): string {
  if (replicas.length <= 1) return `${replica}, revision ${revision}`;
  const silent = replicas.filter(({ live }) => !live).map(({ name }) => name);
  const silentText = silent.length === 0 ? "" : `, ${silent.join(", ")} silent`;
  return `${replicas.length} replicas${silentText}; ${replica} at revision ${revision}`;
}

function renderProblems({ problems }: GetStatusResponse, nowMs: number): string[] {
  if (problems.length === 0) return [];
  const rows = problems.map(({ what, since, why }) => [what, formatAge(since, nowMs), why]);
  return tableLines(["PROBLEM", "SINCE", "WHY"], rows).map((line) => `  ${line}`);
}
