import type { Name } from "../../domain/name.ts";
import { type Presence, presenceByFleet } from "../../domain/presence.ts";
import { typesOf } from "../../fleet/last-held.ts";
import type { ToldNode } from "../../fleet/node-directory.ts";
import { parseRevision } from "../../store/revision.ts";
import type { Context } from "../context.ts";

/** What the directory tells, with every proxy that is recorded as gone and connected nowhere, by id. */
export function withGone({ mirror }: Pick<Context, "mirror">, told: readonly ToldNode[]): readonly ToldNode[] {
  const gone = goneProxies({ mirror }, new Set(told.flatMap((node) => (node.connected ? node.id : []))));
  if (gone.size === 0) return told;
  // What a replica still remembers of it is older, and less sure.
  const others = told.filter(({ id }) => !gone.has(id));
  return [...others, ...gone.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : a.since - b.since));
}

/** Every proxy that is recorded as gone and is not connected, by id. */
export function goneProxies(
  { mirror }: Pick<Context, "mirror">,
  connected: Pick<ReadonlySet<string>, "has">,
): ReadonlyMap<string, ToldNode> {
  const gone = new Map<string, ToldNode>();
  for (const [fleet, proxies] of presenceByFleet(mirror.records("presence").values())) {
    for (const presence of proxies) {
      if (presence.state !== "gone" || connected.has(presence.id)) continue;
      gone.set(presence.id, goneNode(fleet, presence));
    }
  }
  return gone;
}

function goneNode(fleet: Name, { state: _gone, last, region, zone, ...presence }: Presence): ToldNode {
  return {
    ...presence,
    fleet,
    region: region || undefined,
    zone: zone || undefined,
    gone: true,
    connected: false,
    silent: undefined,
    duplicate: false,
    peer: "",
    types: typesOf(last),
    lagMs: 0,
    settled: last === undefined ? undefined : parseRevision(last.settled),
  };
}

/** Where a proxy that is gone was last seen, and what it had then, for people. */
export function goneText({ replica, types }: Pick<ToldNode, "replica" | "types">): string {
  return `last seen by ${replica}; ${heldText(types)}`;
}

function heldText(types: ToldNode["types"]): string {
  if (types.length === 0) return "what it had is not known";
  const refusing = types.find(({ refused }) => refused > 0);
  if (refusing !== undefined) {
    const [first] = refusing.refusals;
    const what = first === undefined ? `${refusing.refused} resources` : first.name;
    return `it had refused ${refusing.shortName} ${what}${first === undefined ? "" : `: ${first.message}`}`;
  }
  const open = types.filter(({ state }) => state === "sent").map(({ shortName }) => shortName);
  if (open.length > 0) return `it had not acknowledged ${open.join(", ")}`;
  return "it had acknowledged everything that it was sent";
}
