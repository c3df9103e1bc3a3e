import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import {
  type GetStatusResponse,
  GetStatusResponseSchema,
  Problem_Severity as Severity,
} from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { EXIT, wrongUsage } from "../exit.ts";
import { showFrames } from "../frames.ts";
import { type CliContext, type CliIo, printLines } from "../io.ts";
import { type Line, type Piece, type Tone, toned } from "../line.ts";
import { outputOption, REFRESH } from "../options.ts";
import { tableLines } from "../table.ts";
import { durationText, formatAge, formatAgo } from "../time-text.ts";

const INDENT = "  ";

export function statusCommand(context: CliContext): Command {
  return new Command("status")
    .description("Show the state of the plane, its proxies and its services, and what needs attention")
    .option(...REFRESH)
    .option("--check", "exit with 1 if there is a problem")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Examples:
  fairlead status
  fairlead status --watch
  fairlead status --check || echo "needs attention"
  fairlead status -o json | jq '.problems'`,
    )
    .action(async ({ watch, check }: { watch?: true; check?: true }) => {
      const { io, outcome } = context;
      const read = () => context.admin().call(AdminService.method.getStatus, {});
      if (watch === true) {
        if (check === true) throw wrongUsage("--watch does not end: leave out --check");
        await showFrames(io, async () => renderStatus(await read(), io));
        return;
      }
      const status = await read();
      if (check === true && status.problems.length > 0) outcome.exitCode = EXIT.failed;
      outcome.putAnswer(GetStatusResponseSchema, status);
      printLines(io, renderStatus(status, io));
    });
}

function renderStatus(status: GetStatusResponse, io: CliIo): Line[] {
  const nowMs = io.clock.now();
  const lastWrite = status.lastWriteTime === undefined ? "" : `, last write ${formatAgo(status.lastWriteTime, nowMs)}`;
  const copies = status.storeCopies > 1 ? `, ${status.storeCopies} copies` : "";
  const { servicesDown: down } = status;
  const degraded = status.services - status.servicesWhole - down;
  return [
    `  plane      ${replicasText(status)}, version ${status.version}; store ${status.store}${copies}${lastWrite}`,
    [
      `  proxies    ${status.proxiesConnected} connected, ${status.proxiesUpToDate} up to date`,
      ...countPiece(status.proxiesRefusing, "bad", "refused something"),
    ],
    [
      `  services   ${status.services}, ${status.servicesWhole} whole`,
      ...countPiece(down, "bad", "DOWN"),
      ...countPiece(degraded, "warn", "degraded"),
    ],
    `  backends   ${status.backends}, ${status.backendsEligible} eligible`,
    ...startLines(status, nowMs),
    ...renderProblems(status, nowMs, io),
  ];
}

/** What the replica that answers found when it started. */
function startLines({ start, replicas, replica }: GetStatusResponse, nowMs: number): string[] {
  if (start?.time === undefined) return [];
  const took = start.took === undefined ? "" : ` in ${durationText(start.took)}`;
  const who = replicas.length > 1 ? `${replica} ` : "";
  return [
    `  started    ${who}${formatAgo(start.time, nowMs)}, state restored at revision ${start.revision}${took}; ${start.proxies} proxies connected to it`,
  ];
}

/** Ticks advance revisions all the time, so live replicas that are a moment apart are shown as one. */
function replicasText({ replicas, replica, revision }: GetStatusResponse): string {
  if (replicas.length <= 1) return `${replica}, revision ${revision}`;
  const silent = replicas.filter(({ live }) => !live).map(({ name }) => name);
  const silentText = silent.length === 0 ? "" : `, ${silent.join(", ")} silent`;
  return `${replicas.length} replicas${silentText}; ${replica} at revision ${revision}`;
}

/** `, 1 DOWN`; empty when the count is 0. */
function countPiece(count: number, tone: Tone, text: string): readonly Piece[] {
  return count > 0 ? [", ", toned(tone, `${count} ${text}`)] : [];
}

const SEVERITY_TONES: Readonly<Partial<Record<Severity, Tone>>> = {
  [Severity.DOWN]: "bad",
  [Severity.DEGRADED]: "warn",
};

function renderProblems({ problems }: GetStatusResponse, nowMs: number, io: CliIo): Line[] {
  if (problems.length === 0) return [];
  const rows = problems.map(({ what, since, sinceAtLeast, why, severity }) => {
    const tone = SEVERITY_TONES[severity];
    return [tone === undefined ? what : toned(tone, what), `${sinceAtLeast ? ">" : ""}${formatAge(since, nowMs)}`, why];
  });
  return tableLines(["PROBLEM", "SINCE", "WHY"], rows, { ...io, indent: INDENT });
}
