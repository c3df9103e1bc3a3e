import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import {
  Health_StatusSchema,
  Backend_State as State,
  Health_Status as Status,
} from "../../gen/fairlead/admin/v1/backend_pb.ts";
import {
  type Check,
  type ExplainBackendResponse,
  ExplainBackendResponseSchema,
  type SourceVerdict,
} from "../../gen/fairlead/admin/v1/explain_pb.ts";
import { Service_EndpointDiscovery as EndpointDiscovery } from "../../gen/fairlead/admin/v1/service_pb.ts";
import { messageText } from "../data-text.ts";
import { type CliContext, printLine, printText } from "../io.ts";
import { enumText } from "../kind-entry.ts";
import { unknownText } from "../node-text.ts";
import { backendName, type OutputForm, outputOption } from "../options.ts";
import { cellText } from "../table.ts";
import { formatDuration, formatMoment, fromDuration } from "../time-text.ts";

/** The plane's default where the check gives none. */
const DEFAULT_UNHEALTHY_THRESHOLD = 3;

export function explainCommand(context: CliContext): Command {
  return new Command("explain").description("Say why something is as it is").addCommand(
    new Command("backend")
      .description("Why a backend gets traffic, or none: membership, health, policy, proxies")
      .argument("<backend>", "SERVICE/BACKEND", backendName)
      .addOption(outputOption("table", "json"))
      .addHelpText("after", "\nExamples:\n  fairlead explain backend shop/shop-3")
      .action((name: string, { output }: { output: OutputForm }) => explainBackend(context, name, output)),
  );
}

async function explainBackend(context: CliContext, name: string, output: OutputForm): Promise<void> {
  const answer = await context.admin().call(AdminService.method.explainBackend, { name });
  if (output === "json") {
    printText(context.io, messageText(ExplainBackendResponseSchema, answer, 2));
    return;
  }
  const { status } = answer.backend ?? {};
  printLine(context.io, `  ${status?.eligible === true ? "routable" : "not routable"}: ${status?.message ?? ""}`);
  for (const [label, text] of explanation(answer)) printLine(context.io, `    ${label.padEnd(12)} ${cellText(text)}`);
}

function* explanation(answer: ExplainBackendResponse): Iterable<readonly [label: string, text: string]> {
  yield ["member", memberText(answer)];
  let label = "health";
  for (const verdict of answer.verdicts) {
    yield [label, verdictText(verdict, answer.healthCheck?.unhealthyThreshold ?? DEFAULT_UNHEALTHY_THRESHOLD)];
    label = "";
  }
  if (answer.verdicts.length === 0) {
    yield [label, answer.healthCheck === undefined ? "not checked, nobody reports" : "checked, no verdict yet"];
  }
  if (answer.checks.length > 0)
    yield ["", `last checks by ${answer.checkedBy}: ${answer.checks.map(checkText).join(", ")}`];
  const { policy, panicThreshold } = answer;
  const rule =
    panicThreshold === 0
      ? "unhealthy backends get nothing"
      : `with fewer than ${panicThreshold} % healthy, all backends get requests`;
  yield ["policy", `${policy || "built-in"}, panic threshold ${panicThreshold}: ${rule}`];
  if (answer.endpointDiscovery === EndpointDiscovery.LEDS) {
    yield ["endpoints", `by LEDS where proxies can, else by EDS: ${answer.endpointDiscoveryReason}`];
  }
  if (answer.ejection !== "") yield ["ejection", answer.ejection];
  for (const { fleet, reason } of answer.leftOut) yield [`fleet ${fleet}`, `left out: ${reason}`];
  yield ["proxies", proxiesText(answer)];
  for (const { id, state, message } of answer.pending) yield ["", `${id} ${state}: ${message}`];
  for (const unknown of answer.unknownReplicas) yield ["", `${unknownText(unknown)}: its proxies are not counted`];
}

function checkText({ time, reason, took }: Check): string {
  const at = formatMoment(time).slice("2026-11-12 ".length);
  return `${at} ${reason}${took === undefined ? "" : ` in ${formatDuration(fromDuration(took))}`}`;
}

/** `12 of 12 acknowledged its removal from rotation, 38 ms after the verdict (revision 1.8812)`. */
function proxiesText({
  backend,
  verdicts,
  acknowledged,
  proxies,
  acknowledgedAfter,
  revision,
  leftOut,
}: ExplainBackendResponse): string {
  const isThere = backend?.status?.eligible === true ? "that it is in rotation" : "its removal from rotation";
  const what = leftOut.length > 0 ? "what their fleets have of it" : isThere;
  const why = backend?.state !== State.DRAINING && verdicts.some(({ counts }) => counts) ? "the verdict" : "the change";
  const after = acknowledgedAfter && `, ${formatDuration(fromDuration(acknowledgedAfter))} after ${why}`;
  return `${acknowledged} of ${proxies} acknowledged ${what}${after ?? ""} (revision ${revision})`;
}

function memberText({ backend, removalTime }: ExplainBackendResponse): string {
  const zone = backend?.locality?.zone ?? "";
  const parts = [
    backend?.state === State.DRAINING ? `draining since ${formatMoment(backend.drainTime)}` : "active",
    ...(removalTime === undefined ? [] : [`removed at ${formatMoment(removalTime)}`]),
    `weight ${backend?.weight || 1}`,
    ...(zone === "" ? [] : [zone]),
    `since ${formatMoment(backend?.meta?.createTime)}`,
  ];
  return parts.join(", ");
}

function verdictText({ health, counts, reason }: SourceVerdict, unhealthyThreshold: number): string {
  if (health === undefined) return "-";
  const { status, source, observer, inARow, lastGoodTime, actor, expireTime } = health;
  const seenBy = source === "prober" ? `seen by ${observer}` : `says ${source}${actor === "" ? "" : ` (${actor})`}`;
  const unhealthy = status === Status.UNHEALTHY;
  const row = inARow === 0 ? "" : ` (${inARow} in a row${unhealthy ? `, threshold ${unhealthyThreshold}` : ""})`;
  return [
    `${enumText(Health_StatusSchema, status, "-").toLowerCase()}, ${seenBy}: ${health.reason || "no reason given"}${row}`,
    ...(unhealthy && lastGoodTime !== undefined ? [`last good ${formatMoment(lastGoodTime)}`] : []),
    `since ${formatMoment(health.meta?.updateTime)}`,
    ...(expireTime === undefined ? [] : [`until ${formatMoment(expireTime)}`]),
    ...(counts ? [] : [`does not count: ${reason}`]),
  ].join("; ");
}
