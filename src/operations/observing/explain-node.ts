import { listenerAddress, shareAddresses } from "../../domain/fleet-listeners.ts";
import { isDialable } from "../../domain/grpc-clients.ts";
import type { State } from "../../domain/state.ts";
import type { ToldNode } from "../../fleet/node-directory.ts";
import { missingText } from "../../fleet/told-node.ts";
import { formatRevision } from "../../store/revision.ts";
import type { Context } from "../context.ts";
import { type Explanation, explanation, type Fact } from "./explanation.ts";
import { getNode } from "./get-node.ts";
import { goneText } from "./gone-proxies.ts";
import { isBehind } from "./problems.ts";

/** What a proxy belongs to, gets and has not accepted, and why. @throws ControlPlaneError as `getNode` does. */
export async function explainNode(context: Context, id: string): Promise<Explanation> {
  const node = await getNode(context, { id, detail: "resources" });
  return explanation(summaryOf(node), [
    [
      "fleet",
      node.fleet === undefined ? (node.silent ?? "none") : `${node.fleet}: ${selectionText(context.mirror, node)}`,
    ],
    ["stream", streamText(node)],
    ...(node.connected && node.silent !== undefined && node.silentSince !== undefined
      ? [["", `nothing has been sent on it since ${new Date(node.silentSince).toISOString()}`] as const]
      : []),
    ...(node.duplicate ? [["", "another open stream has the same node.id"] as const] : []),
    [
      "state",
      `acknowledged up to revision ${node.settled === undefined ? "(none)" : formatRevision(node.settled)}; newest ${formatRevision(context.mirror.revision)}`,
    ],
    ...listenerFacts(context.mirror, node),
    ...typeFacts(node),
  ]);
}

function summaryOf(node: ToldNode): string {
  const refused = node.types.flatMap(({ resources }) => resources).filter((resource) => resource.refused !== undefined);
  if (node.gone) return `gone: ${goneText(node)}`;
  if (!node.connected) return "away: it keeps serving what it had last, and is sent no changes";
  if (node.silent !== undefined) return `gets nothing: ${node.silent}`;
  if (refused.length > 0)
    return `refuses ${refused.length} of its resources, and keeps the versions that it had before`;
  const missing = node.types.find((type) => type.missing.length > 0);
  if (missing !== undefined) return missingText(missing);
  if (isBehind(node)) return `behind: it has not acknowledged a change for ${Math.round(node.lagMs / 1000)} s`;
  return node.lagMs > 0 ? "is being sent a change" : "up to date";
}

function selectionText(state: State, { fleet = "", cluster }: ToldNode): string {
  const selector = state.get("fleet", fleet)?.nodes;
  const keys = Object.keys(selector?.metadata ?? {});
  if (selector === undefined) return "it no longer exists";
  if (selector.cluster === undefined && keys.length === 0) return `its node.cluster is "${cluster}"`;
  const parts = [
    ...(selector.cluster === undefined ? [] : [`node.cluster "${cluster}"`]),
    ...keys.map((key) => `node.metadata ${key}`),
  ];
  return `the fleet selects it by ${parts.join(", ")}`;
}

function streamText({ connected, variant, peer, replica, since }: ToldNode): string {
  const at = new Date(since).toISOString();
  return connected
    ? `${variant} xDS from ${peer} to replica ${replica}, since ${at}`
    : `ended at ${at}, to replica ${replica}`;
}

function* listenerFacts(state: State, { fleet }: ToldNode): Iterable<Fact> {
  if (fleet === undefined) return;
  const { open, grpc, refused } = shareAddresses(state.referring("listener", "fleet", fleet));
  if (grpc !== undefined) {
    const routes = Array.from(state.referring("route", "listener", grpc.name));
    const hosts = [...new Set(routes.flatMap((route) => route.hosts.filter(isDialable)))].toSorted();
    const dialled = hosts.length === 0 ? "no host can be dialled" : `hosts ${hosts.join(", ")}`;
    yield [`listener ${grpc.name}`, `${listenerAddress(grpc)} for gRPC clients; ${dialled}`];
  }
  if (open.length === 0 && grpc === undefined) yield ["listeners", "its fleet has none: it accepts no traffic"];
  for (const listener of open) {
    const names = Array.from(state.referring("route", "listener", listener.name), ({ name }) => name);
    const led = names.length === 0 ? "no route: every request gets 404" : `routes ${names.join(", ")}`;
    yield [`listener ${listener.name}`, `${listenerAddress(listener)}; ${led}`];
  }
  for (const [name, holder] of refused) yield [`listener ${name}`, `closed: its address belongs to ${holder.name}`];
}

/** A line for each type, and one for each resource that is not as it should be. */
function* typeFacts({ types, connected }: ToldNode): Iterable<Fact> {
  for (const type of types) {
    const { shortName, state, known, resources, refusals } = type;
    if (state === "idle" && known === 0) continue;
    yield [shortName, `${known} resources, ${state === "acked" ? "all acknowledged" : state}`];
    if (type.missing.length > 0) yield ["", missingText(type)];
    // Of one that is away, single resources are not remembered.
    if (!connected) yield* refusals.map(({ name, message }): Fact => ["", `${name} refused: ${message}`]);
    for (const { name, refused, held, unknown } of resources) {
      if (refused !== undefined) yield ["", `${name} refused: ${refused.message}`];
      else if (held !== undefined) yield ["", `${name} held: ${held}`];
      else if (unknown) yield ["", `${name}: it is not known which version the proxy has`];
    }
  }
}
