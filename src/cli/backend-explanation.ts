import { DEFAULT_HEALTH_CHECK } from "../domain/health-check.ts";
import {
  Health_StatusSchema,
  Backend_State as State,
  Health_Status as Status,
} from "../gen/fairlead/admin/v1/backend_pb.ts";
import type { Check, ExplainBackendResponse, SourceVerdict } from "../gen/fairlead/admin/v1/explain_pb.ts";
import { Service_EndpointDiscovery as EndpointDiscovery } from "../gen/fairlead/admin/v1/service_pb.ts";
import type { CliIo } from "./io.ts";
import { enumText } from "./kind-entry.ts";
import { type Line, withText } from "./line.ts";
import { formatMoment, formatTimeOfDay } from "./moment.ts";
import { unknownText } from "./node-text.ts";
import { statePiece } from "./state-tone.ts";
import { durationText } from "./time-text.ts";

/** A subject, and what there is to say about it. */
export type Fact = readonly [about: string, text: Line];

/** Why a backend gets traffic, or gets none, one line for each fact. */
export function* backendExplanation(answer: ExplainBackendResponse, io: CliIo): Iterable<Fact> {
  yield ["member", memberText(answer, io)];
  let label = "health";
  const { unhealthyThreshold = DEFAULT_HEALTH_CHECK.unhealthyThreshold } = answer.healthCheck ?? {};
  for (const verdict of answer.verdicts) {
    yield [label, verdictText(verdict, io, unhealthyThreshold)];
    label = "";
  }
  if (answer.verdicts.length === 0) {
    yield [
      label,
      answer.healthCheck === undefined ? "not checked, and no one reports on it" : "checked, no verdict yet",
    ];
  }
  if (answer.checks.length > 0)
    yield ["", `last checks by ${answer.checkedBy}: ${answer.checks.map((check) => checkText(check, io)).join(", ")}`];
  const { policy, panicThreshold } = answer;
  const rule =
    panicThreshold === 0
      ? "unhealthy backends get nothing"
      : `with fewer than ${panicThreshold} % healthy, all backends get requests`;
  yield ["policy", `${policy || "built-in"}, panic threshold ${panicThreshold}: ${rule}`];
  if (answer.endpointDiscovery === EndpointDiscovery.LEDS) {
    yield ["endpoints", `by LEDS where proxies support it, otherwise by EDS: ${answer.endpointDiscoveryReason}`];
  }
  if (answer.ejection !== "") yield ["ejection", answer.ejection];
  for (const { fleet, reason } of answer.leftOut) yield [`fleet ${fleet}`, `left out: ${reason}`];
  yield ["proxies", proxiesText(answer)];
  for (const { id, state, message } of answer.pending) yield ["", `${id} ${state}: ${message}`];
  for (const unknown of answer.unknownReplicas) yield ["", `${unknownText(unknown)}: its proxies are not counted`];
}

function checkText({ time, reason, took }: Check, io: CliIo): string {
  const at = formatTimeOfDay(time, io);
  return `${at} ${reason}${took === undefined ? "" : ` in ${durationText(took)}`}`;
}

/** `12 of 12 have acknowledged its removal from rotation, 38 ms after the verdict (revision 1.8812)`. */
function proxiesText(answer: ExplainBackendResponse): string {
  const { backend, verdicts, acknowledged, proxies, acknowledgedAfter, revision, leftOut } = answer;
  const isThere = backend?.status?.eligible === true ? "that it is in rotation" : "its removal from rotation";
  const what = leftOut.length > 0 ? "what their fleets get of it" : isThere;
  const why = backend?.state !== State.DRAINING && verdicts.some(({ counts }) => counts) ? "the verdict" : "the change";
  const after = acknowledgedAfter === undefined ? "" : `, ${durationText(acknowledgedAfter)} after ${why}`;
  return `${acknowledged} of ${proxies} have acknowledged ${what}${after} (revision ${revision})`;
}

function memberText({ backend, removalTime }: ExplainBackendResponse, io: CliIo): string {
  const zone = backend?.locality?.zone ?? "";
  const parts = [
    backend?.state === State.DRAINING ? `draining since ${formatMoment(backend.drainTime, io)}` : "active",
    ...(removalTime === undefined ? [] : [`to be removed at ${formatMoment(removalTime, io)}`]),
    `weight ${backend?.weight ?? 1}`,
    ...(zone === "" ? [] : [zone]),
    `since ${formatMoment(backend?.meta?.createTime, io)}`,
  ];
  return parts.join(", ");
}

function verdictText({ health, counts, reason }: SourceVerdict, io: CliIo, unhealthyThreshold: number): Line {
  if (health === undefined) return "-";
  const { status, source, observer, inARow, lastGoodTime, actor, expireTime } = health;
  const seenBy = source === "prober" ? `seen by ${observer}` : `says ${source}${actor === "" ? "" : ` (${actor})`}`;
  const unhealthy = status === Status.UNHEALTHY;
  const row = inARow === 0 ? "" : ` (${inARow} in a row${unhealthy ? `, threshold ${unhealthyThreshold}` : ""})`;
  const word = enumText(Health_StatusSchema, status, "-");
  const text = [
    `, ${seenBy}: ${health.reason || "no reason given"}${row}`,
    ...(unhealthy && lastGoodTime !== undefined ? [`last good ${formatMoment(lastGoodTime, io)}`] : []),
    `since ${formatMoment(health.statusTime ?? health.meta?.updateTime, io)}`,
    ...(expireTime === undefined ? [] : [`until ${formatMoment(expireTime, io)}`]),
    ...(counts ? [] : [`does not count: ${reason}`]),
  ].join("; ");
  return [withText(statePiece(word), word.toLowerCase()), text];
}
