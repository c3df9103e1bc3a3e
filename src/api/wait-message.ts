import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import {
  WaitForRevisionRequest_Disconnected as Disconnected,
  WaitForRevisionResponse_Outcome as Outcome,
  type WaitForRevisionRequest,
  type WaitForRevisionResponseSchema,
} from "../gen/fairlead/admin/v1/observe_pb.ts";
import { badField, readRevision } from "../operations/object-errors.ts";
import type { OnDisconnected } from "../operations/observing/assess-wait.ts";
import { readResourceType } from "../operations/observing/resource-type.ts";
import type { WaitOrder, WaitStep } from "../operations/observing/wait-for-revision.ts";
import { formatRevision } from "../store/revision.ts";
import { unknownMessage } from "./node-message.ts";

const DISCONNECTED: Readonly<Record<Disconnected, OnDisconnected>> = {
  [Disconnected.DISCONNECTED_UNSPECIFIED]: "WAIT",
  [Disconnected.WAIT]: "WAIT",
  [Disconnected.SKIP]: "SKIP",
  [Disconnected.FAIL]: "FAIL",
};

const OUTCOME: Readonly<Record<WaitStep["outcome"], Outcome>> = {
  waiting: Outcome.WAITING,
  reached: Outcome.REACHED,
  refused: Outcome.REFUSED,
  disconnected: Outcome.DISCONNECTED,
  timedOut: Outcome.TIMED_OUT,
};

export function waitOrder({
  revision,
  onItsWay,
  timeout,
  onDisconnected,
  ...wanted
}: WaitForRevisionRequest): WaitOrder {
  const known: OnDisconnected | undefined = DISCONNECTED[onDisconnected];
  if (known === undefined) throw badField("onDisconnected", `${String(onDisconnected)} is not a known value`);
  return {
    ...wanted,
    onDisconnected: known,
    revision: readRevision("revision", revision),
    onItsWay: onItsWay && { typeUrl: readResourceType(onItsWay.type) },
    timeoutMs: timeout && durationMs(timeout),
  };
}

export async function* waitMessages(
  steps: AsyncIterable<WaitStep>,
): AsyncGenerator<MessageInitShape<typeof WaitForRevisionResponseSchema>> {
  for await (const { outcome, elapsedMs, revision, unknown, pending, joined, skipped, ...counts } of steps) {
    yield {
      ...counts,
      outcome: OUTCOME[outcome],
      pending: [...pending],
      joined: [...joined],
      skipped: [...skipped],
      elapsed: durationFromMs(Math.round(elapsedMs)),
      revision: formatRevision(revision),
      unknownReplicas: unknown.map(unknownMessage),
    };
  }
}
