import { reached } from "../store/revision.ts";
import type { NodeView, TypeView } from "./node-directory.ts";

/**
 * A proxy has other streams besides its main one, for endpoints that come one by one: the views of its id are joined into
 * one proxy. Streams that share an id without belonging together stay apart.
 */
export function oneProxyEach(ofId: readonly NodeView[]): readonly NodeView[] {
  const apart = ofId.filter(({ duplicate }) => duplicate);
  const together = ofId.filter(({ duplicate }) => !duplicate).toSorted(byWeight);
  const [main = apart.shift(), ...others] = together;
  return main === undefined ? [] : [others.reduce(joined, main), ...apart];
}

/** The stream with the most types comes first: others come and go. */
function byWeight(a: NodeView, b: NodeView): number {
  return b.types.length - a.types.length || a.since - b.since;
}

function joined(main: NodeView, other: NodeView): NodeView {
  const settled = main.settled && other.settled && (reached(main.settled, other.settled) ? other : main).settled;
  return {
    ...main,
    types: [...Map.groupBy([...main.types, ...other.types], ({ typeUrl }) => typeUrl).values()].flatMap(joinedType),
    lagMs: Math.max(main.lagMs, other.lagMs),
    settled,
  };
}

const WORST = ["refused", "sent", "acked", "idle"] as const;

function joinedType(views: readonly TypeView[]): TypeView | readonly [] {
  const [first] = views;
  if (first === undefined) return [];
  return {
    ...first,
    state: WORST.find((state) => views.some((view) => view.state === state)) ?? first.state,
    known: views.reduce((sum, { known }) => sum + known, 0),
    resources: views.flatMap(({ resources }) => resources),
    refusals: views.flatMap(({ refusals }) => refusals),
    refused: views.reduce((sum, { refused }) => sum + refused, 0),
  };
}
