import { listenerAddress, shareAddresses } from "../../domain/fleet-listeners.ts";
import type { State } from "../../domain/state.ts";
import type { NodeView } from "../../fleet/node-directory.ts";
import { formatRevision } from "../../store/revision.ts";
import type { Context } from "../context.ts";
import { type Explanation, explanation, type Fact } from "./explanation.ts";
import { getNode } from "./get-node.ts";
import { goneText } from "./gone-proxies.ts";
import { isBehind } from "./problems.ts";

/** What a proxy belongs to, gets and has not accepted, and why. @throws ControlPlaneError as `getNode` does. */
export async function explainNode(context: Context, id: string): Promise<Explanation> {
  const view = await getNode(context, { id, detail: "resources" });
  return explanation(summaryOf(view), [
    [
      "fleet",
      view.fleet === undefined ? (view.silent ?? "none") : `${view.fleet}: ${selectionText(context.mirror, view)}`,
    ],
    ["stream", streamText(view)],
    ...(view.connected && view.silent !== undefined && view.silentSince !== undefined
      ? [["", `nothing has been sent on it since ${new Date(view.silentSince).toISOString()}`] as const]
      : []),
    ...(view.duplicate ? [["", "another open stream has the same node.id"] as const] : []),
    [
      "state",
      `acknowledged up to revision ${view.settled === undefined ? "(none)" : formatRevision(view.settled)}; newest ${formatRevision(context.mirror.revision)}`,
    ],
    ...listenerFacts(context.mirror, view),
    ...typeFacts(view),
  ]);
}

function summaryOf(view: NodeView): string {
  const refused = view.types.flatMap(({ resources }) => resources).filter((resource) => resource.refused !== undefined);
  if (view.gone) return `gone: ${goneText(view)}`;
  if (!view.connected) return "away: it keeps serving what it had last, and is sent no changes";
  if (view.silent !== undefined) return `gets nothing: ${view.silent}`;
  if (refused.length > 0)
    return `refuses ${refused.length} of its resources, and keeps the versions that it had before`;
  if (isBehind(view)) return `behind: it has not acknowledged a change for ${Math.round(view.lagMs / 1000)} s`;
  return view.lagMs > 0 ? "is being sent a change" : "up to date";
}

function selectionText(state: State, { fleet = "", cluster }: NodeView): string {
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

function streamText({ connected, variant, peer, replica, since }: NodeView): string {
  const at = new Date(since).toISOString();
  return connected
    ? `${variant} xDS from ${peer} to replica ${replica}, since ${at}`
    : `ended at ${at}, to replica ${replica}`;
}

function* listenerFacts(state: State, { fleet }: NodeView): Iterable<Fact> {
  if (fleet === undefined) return;
  const { open, refused } = shareAddresses(state.referring("listener", "fleet", fleet));
  if (open.length === 0) yield ["listeners", "its fleet has none: it accepts no traffic"];
  for (const listener of open) {
    const names = Array.from(state.referring("route", "listener", listener.name), ({ name }) => name);
    const led = names.length === 0 ? "no route: every request gets 404" : `routes ${names.join(", ")}`;
    yield [`listener ${listener.name}`, `${listenerAddress(listener)}; ${led}`];
  }
  for (const [name, holder] of refused) yield [`listener ${name}`, `closed: its address belongs to ${holder.name}`];
}

/** A line for each type, and one for each resource that is not as it should be. */
function* typeFacts({ types, connected }: NodeView): Iterable<Fact> {
  for (const { shortName, state, known, resources, refusals } of types) {
    if (state === "idle" && known === 0) continue;
    yield [shortName, `${known} resources, ${state === "acked" ? "all acknowledged" : state}`];
    // Of one that is away, single resources are not remembered.
    if (!connected) yield* refusals.map(({ name, message }): Fact => ["", `${name} refused: ${message}`]);
    for (const { name, refused, held, unknown } of resources) {
      if (refused !== undefined) yield ["", `${name} refused: ${refused.message}`];
      else if (held !== undefined) yield ["", `${name} held: ${held}`];
      else if (unknown) yield ["", `${name}: it is not known which version the proxy has`];
    }
  }
}
