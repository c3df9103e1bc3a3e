import type { Condition } from "../../domain/condition.ts";
import type { Conditions } from "../../domain/conditions.ts";
import type { LeftOut } from "../../domain/fleet-backends.ts";
import { KINDS, type Name } from "../../domain/name.ts";
import { printable } from "../../domain/printable.ts";
import type { RoutingState } from "../../domain/routing-state.ts";
import type { Refusal, ToldNode } from "../../fleet/node-directory.ts";
import { missingText } from "../../fleet/told-node.ts";
import { firstFew } from "../first-few.ts";
import type { Finding, Severity } from "./finding.ts";
import { conditionKey, leftOutKey, ofCondition, ofService } from "./onset-watch.ts";
import type { Onset } from "./onsets.ts";
import type { ReplicaState } from "./replicas.ts";
import { serviceProblems } from "./service-problems.ts";

/** A proxy that has not acknowledged a commit for longer than this is behind (law 5, freshness). */
export const LAG_BOUND_MS = 10_000;
/** The most problems that one answer lists. */
const MAX_PROBLEMS = 200;
/** How many backends of one service a problem quotes. */
const QUOTED = 3;

/** The worst first. */
export const SEVERITIES: readonly Severity[] = ["down", "degraded", "notice"];

/** What a problem is about, in the order in which those of the same severity are listed; values of a metric's label. */
export const PROBLEM_KINDS = [
  "store",
  "plane",
  "record",
  "replica",
  "refusal",
  "checks",
  "proxy",
  "presence",
  "service",
  "networks",
  "object",
] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

/** A finding as people are shown it. */
export interface Problem extends Finding {
  readonly kind: ProblemKind;
  readonly severity: Severity;
}

/** What surrounds the state: the store, this plane and the others, and proxies. */
export interface Surroundings {
  readonly store: readonly Finding[];
  /** What is wrong with this plane. */
  readonly plane: readonly Finding[];
  /** Stored records that cannot be read. */
  readonly setAside: readonly Finding[];
  readonly replicas: readonly ReplicaState[];
  readonly refusals: readonly Refusal[];
  /** What the health workers have found. */
  readonly checks: readonly Finding[];
  readonly nodes: readonly ToldNode[];
  /** Proxies that are gone, and fleets with too few or too many. */
  readonly presence: readonly Finding[];
  readonly now: number;
}

/** What follows from the state. */
export interface Begun {
  /** When something that is derived began; undefined when it is new to this replica. */
  readonly begun: (subject: string, what: string) => Onset | undefined;
  readonly now: number;
}

export function isBehind({ lagMs }: ToldNode): boolean {
  return lagMs > LAG_BOUND_MS;
}

/** What is wrong with everything but the state. */
export function surroundingProblems(found: Surroundings): Problem[] {
  return [
    ...problems("store", found.store),
    ...problems("plane", found.plane),
    ...problems("record", found.setAside),
    ...found.replicas.flatMap((replica) => problems("replica", replicaProblems(replica, found.now))),
    ...problems("refusal", found.refusals.map(refusal)),
    ...problems("checks", found.checks),
    ...found.nodes.flatMap((node) => problems("proxy", nodeProblems(node, found))),
    ...problems("presence", found.presence),
  ];
}

/** What is wrong with a service, given what fleets leave out of it because it lies outside their networks. */
export function problemsOfService(
  routing: RoutingState,
  leftOut: ReadonlyMap<Name, readonly LeftOut[]>,
  derived: Begun,
): Problem[] {
  const begun = (what: string) => derived.begun(ofService(routing.service), what);
  return [
    ...problems("service", serviceProblems(routing, begun, derived.now)),
    ...[...leftOut].flatMap((found) => problems("networks", [leftOutProblem(routing.service, found, derived)])),
  ];
}

/** What is wrong with objects, by their conditions. */
export function problemsOfObjects(conditions: Conditions, derived: Begun): Problem[] {
  return [...conditions].flatMap(([id, ofObject]) => problems("object", objectProblems(id, ofObject, derived)));
}

/** What a person on call should look at, the worst first; among equals in the order of `PROBLEM_KINDS`. */
export function listed(found: readonly Problem[]): Problem[] {
  return found
    .map((one) => ({ ...one, what: printable(one.what), why: printable(one.why) }))
    .sort(
      (a, b) =>
        SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
        PROBLEM_KINDS.indexOf(a.kind) - PROBLEM_KINDS.indexOf(b.kind),
    )
    .slice(0, MAX_PROBLEMS);
}

function problems(kind: ProblemKind, found: readonly Finding[]): Problem[] {
  return found.map((one) => ({ severity: "degraded", ...one, kind }));
}

function replicaProblems({ name, silentMs, held }: ReplicaState, now: number): Finding[] {
  if (silentMs === undefined) {
    return held === undefined ? [] : [{ what: `replica ${name} sends nothing`, since: undefined, why: held }];
  }
  const why = "it is not heard from; it is not known which proxies it serves, nor how far they are";
  return [{ what: `replica ${name} is silent`, since: Math.round(now - silentMs), why }];
}

function refusal({ nodeId, typeUrl, resource, objects, message, at }: Refusal): Finding {
  const [object] = objects;
  const what =
    object === undefined
      ? `${typeUrl.slice(typeUrl.lastIndexOf(".") + 1)} ${resource}`
      : `${object.kind} ${object.name}`;
  return { what: `node ${nodeId} refused ${what}`, since: at, why: message };
}

function nodeProblems(node: ToldNode, { nodes, now }: Pick<Surroundings, "nodes" | "now">): Finding[] {
  const { id, silent, silentSince, since, lagMs, connected } = node;
  const found: Finding[] = [];
  if (connected && silent !== undefined) {
    // Nobody knows what came before a stream that was never served.
    const atLeast = (silentSince ?? since) <= since;
    found.push({ what: `node ${id} gets nothing`, since: silentSince ?? since, atLeast, why: silent });
  }
  if (node.duplicate) found.push(...sharedId(node, nodes));
  for (const type of node.types.filter(({ missing }) => missing.length > 0)) {
    found.push({ what: `node ${id} asks for what is not there`, since, atLeast: true, why: missingText(type) });
  }
  if (isBehind(node)) {
    const why = `has not acknowledged a change for ${Math.round(lagMs / 1000)} s`;
    found.push({ what: `node ${id} is behind`, since: now - lagMs, why });
  }
  return found;
}

/** Reported with the first of the proxies that share an id; it began when the second of them came. */
function sharedId(node: ToldNode, nodes: readonly ToldNode[]): Finding[] {
  const sharing = nodes.filter(({ id, duplicate }) => duplicate && id === node.id);
  if (sharing[0] !== node) return [];
  const times = sharing.length > 2 ? `${sharing.length} times` : "twice";
  const from = [...new Set(sharing.map(({ peer }) => peer))].join(", ");
  const why = `several streams, from ${from}, have the same node.id; after a hot restart this ends with the old process`;
  const [, since] = sharing.map((one) => one.since).toSorted((a, b) => a - b);
  return [{ what: `node ${node.id} is connected ${times}`, since, why }];
}

function leftOutProblem(
  service: Name,
  [fleet, leftOut]: readonly [Name, readonly LeftOut[]],
  { begun, now }: Begun,
): Finding {
  const count = leftOut.length === 1 ? "a backend" : `${leftOut.length} backends`;
  return {
    what: `fleet ${fleet} leaves out ${count} of service ${service}`,
    ...(begun(ofService(service), leftOutKey(fleet)) ?? { since: now }),
    why: firstFew(leftOut, QUOTED, ({ backend, why }) => `${backend.name}: ${why}`),
  };
}

/** With these, people lose a rule or a default, but no request fails. */
const NOTICES = new Set([
  ...["RuleConflict", "RuleShadowed", "HashKeyHidden", "DuplicateAddress", "UnknownPolicy"],
  ...["HostNotDialable", "DifferentForGrpc"],
]);

function objectProblems(id: string, conditions: readonly Condition[], { begun, now }: Begun): Finding[] {
  const slash = id.indexOf("/");
  const kind = KINDS.find((known) => known === id.slice(0, slash));
  const name = id.slice(slash + 1);
  if (kind === undefined) return [];
  return conditions.map((condition) => ({
    what: `${kind} ${name}`,
    ...(begun(ofCondition(kind, name), conditionKey(id, condition)) ?? { since: now }),
    why: condition.message,
    ...(NOTICES.has(condition.reason) && { severity: "notice" as const }),
  }));
}
