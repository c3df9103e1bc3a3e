import type { EligibilityReason } from "../../domain/eligibility.ts";
import type { Name } from "../../domain/name.ts";
import { countPresence } from "../../domain/presence.ts";
import { type CountedProxy, countProxies, type ProxyCounts, type ProxyState } from "../../fleet/count-proxies.ts";
import type { StreamStanding } from "../../fleet/local-node-directory.ts";
import type { Refusal, ToldNode } from "../../fleet/node-directory.ts";
import type { Context } from "../context.ts";
import type { Severity } from "./finding.ts";
import { surroundings } from "./get-status.ts";
import { presenceFindings } from "./presence-findings.ts";
import {
  isBehind,
  PROBLEM_KINDS,
  type Problem,
  type ProblemKind,
  SEVERITIES,
  surroundingProblems,
} from "./problems.ts";
import { survey } from "./survey.ts";

/** What is so now, in numbers: the state as any replica knows it, and the proxies that are connected to this one. */
export interface StandingCounts {
  /** By service, and by why they are eligible or not. */
  readonly backends: ReadonlyMap<Name, Readonly<Record<EligibilityReason, number>>>;
  /** By fleet; `""` stands for the proxies that no fleet selects. */
  readonly proxies: ReadonlyMap<Name, ProxyCounts>;
  /** Resources that proxies refuse, by type URL. */
  readonly refused: ReadonlyMap<string, number>;
  /** Resources that are held back from proxies, by reason. */
  readonly held: ReadonlyMap<string, number>;
  readonly problems: ReadonlyMap<ProblemKind, Readonly<Record<Severity, number>>>;
}

/**
 * Counts what `getStatus` tells, but of connected proxies only those of this replica, so that nobody else has to be asked:
 * which are elsewhere, and which are gone, it has by the record. Gives way in between, as `survey` does.
 */
export async function countStanding(
  context: Context,
  own: { standing(): Iterable<StreamStanding> },
): Promise<StandingCounts> {
  const { mirror } = context;
  const { services, problems } = await survey(context);
  const proxies: CountedProxy[] = [];
  const nodes: ToldNode[] = [];
  const refusals: Refusal[] = [];
  const held = new Map<string, number>();
  for (const { node, refusals: refused, holds } of own.standing()) {
    proxies.push({ id: node.id, fleet: node.fleet, states: statesOf(node, refused) });
    if (node.silent !== undefined || node.duplicate || isBehind(node)) nodes.push(node);
    refusals.push(...refused);
    for (const reason of holds) held.set(reason, (held.get(reason) ?? 0) + 1);
    await context.pace.breathe();
  }
  const presence = presenceFindings(context, proxies);
  const surrounding = surroundingProblems({ ...surroundings(context), nodes, presence, refusals });
  return {
    backends: services,
    proxies: countProxies(countPresence(mirror.all("fleet"), mirror.records("presence").values()), proxies),
    refused: new Map(
      Map.groupBy(refusals, ({ typeUrl }) => typeUrl)
        .entries()
        .map(([type, of]) => [type, of.length]),
    ),
    held,
    problems: countProblems([...surrounding, ...problems]),
  };
}

function statesOf(node: ToldNode, refusals: readonly Refusal[]): ProxyState[] {
  const states: ProxyState[] = ["connected"];
  if (isBehind(node)) states.push("lagging");
  if (refusals.length > 0) states.push("refusing");
  return states;
}

function countProblems(problems: readonly Problem[]): StandingCounts["problems"] {
  const counts = new Map(
    PROBLEM_KINDS.map((kind) => [
      kind,
      Object.fromEntries(SEVERITIES.map((each) => [each, 0])) as Record<Severity, number>,
    ]),
  );
  for (const { kind, severity } of problems) {
    const ofKind = counts.get(kind);
    if (ofKind !== undefined) ofKind[severity] += 1;
  }
  return counts;
}
