import type { StreamHolding } from "../xds/protocol/stream-holding.ts";
import type { Progress } from "./node-directory.ts";
import { blamed } from "./told-node.ts";

const DONE: Progress = { state: "done" };
const SENT: Progress = { state: "sent", message: "not acknowledged yet" };

/** A revision in terms of publications: the one that holds it, and the one before, which holds nothing of it. */
export interface AwaitedPublication {
  readonly publication: number;
  readonly before: number;
}

/** A stream's progress towards a revision. `isPending` tells whether anything up to it is due, in flight or held. */
export function progressTo(
  { publication, before }: AwaitedPublication,
  status: StreamHolding,
  isPending: boolean,
): Progress {
  // Only a refusal of what came with the revision or after it: an older one says nothing about this change.
  const refusal = standing(status).find(({ refused }) => (refused.publication ?? 0) > before);
  if (refusal !== undefined) return refusedAs(refusal);
  const blocked = status.types
    .flatMap((type) => type.blocked)
    .find((each) => each.publication > before && each.publication <= publication);
  if (blocked !== undefined) {
    const { typeUrl, name } = blocked.on;
    return { state: "held", message: `${blocked.name}: stays until ${shortType(typeUrl)} ${name} is accepted` };
  }
  return isPending ? (heldIn(status) ?? SENT) : DONE;
}

/**
 * A stream's progress with everything that is on its way to its client, sent again or not, of one type or of all. A refusal
 * counts once nothing is on its way any more: until then it is tried again.
 */
export function progressOnItsWay(status: StreamHolding, typeUrl: string | undefined): Progress {
  const types = status.types.filter((type) => (typeUrl ?? type.typeUrl) === type.typeUrl);
  if (types.some(({ isDue, inFlight }) => isDue || inFlight.length > 0)) return SENT;
  const [refusal] = standing({ types });
  return refusal === undefined ? (heldIn({ types }) ?? DONE) : refusedAs(refusal);
}

/** Standing refusals, each with the resource that it is about. */
export function standing({ types }: Pick<StreamHolding, "types">) {
  return types.flatMap(({ typeUrl, refused: resources }) =>
    blamed(resources).map(({ name, refused }) => ({ typeUrl, name, refused })),
  );
}

function refusedAs({ typeUrl, name, refused }: ReturnType<typeof standing>[number]): Progress {
  return { state: "refused", message: `${shortType(typeUrl)} ${name}: ${refused.message}` };
}

function heldIn({ types }: Pick<StreamHolding, "types">): Progress | undefined {
  const [held] = types.flatMap((type) => type.held);
  return held?.held === undefined ? undefined : { state: "held", message: `${held.name}: ${held.held}` };
}

function shortType(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
}
