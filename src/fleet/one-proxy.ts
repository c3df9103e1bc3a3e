import { reached } from "../store/revision.ts";
import type { ToldNode, ToldType } from "./node-directory.ts";

/**
 * A proxy has other streams besides its main one, for endpoints that come one by one: the streams of its id are joined into
 * one proxy. Streams that share an id without belonging together stay apart.
 */
export function oneProxyEach(ofId: readonly ToldNode[]): readonly ToldNode[] {
  const apart = ofId.filter(({ duplicate }) => duplicate);
  const together = ofId.filter(({ duplicate }) => !duplicate).toSorted(byWeight);
  const [main = apart.shift(), ...others] = together;
  return main === undefined ? [] : [others.reduce(joined, main), ...apart];
}

/** The stream with the most types comes first: others come and go. */
function byWeight(a: ToldNode, b: ToldNode): number {
  return b.types.length - a.types.length || a.since - b.since;
}

function joined(main: ToldNode, other: ToldNode): ToldNode {
  const settled = main.settled && other.settled && (reached(main.settled, other.settled) ? other : main).settled;
  return {
    ...main,
    types: [...Map.groupBy([...main.types, ...other.types], ({ typeUrl }) => typeUrl).values()].flatMap(joinedType),
    lagMs: Math.max(main.lagMs, other.lagMs),
    settled,
  };
}

const WORST = ["refused", "sent", "missing", "acked", "idle"] as const;

function joinedType(types: readonly ToldType[]): ToldType | readonly [] {
  const [first] = types;
  if (first === undefined) return [];
  return {
    ...first,
    state: WORST.find((state) => types.some((type) => type.state === state)) ?? first.state,
    known: types.reduce((sum, { known }) => sum + known, 0),
    resources: types.flatMap(({ resources }) => resources),
    refusals: types.flatMap(({ refusals }) => refusals),
    missing: types.flatMap(({ missing }) => missing),
    refused: types.reduce((sum, { refused }) => sum + refused, 0),
  };
}
