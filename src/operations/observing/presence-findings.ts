import type { Name } from "../../domain/name.ts";
import { isMissed, type Presence, presenceByFleet } from "../../domain/presence.ts";
import type { ToldNode } from "../../fleet/node-directory.ts";
import type { Context } from "../context.ts";
import { firstFew } from "../first-few.ts";
import type { Finding } from "./finding.ts";
import { goneProxies, goneText } from "./gone-proxies.ts";

/** How many proxies of one fleet are named that are gone: more would hide what else is wrong. */
const LISTED = 20;
const QUOTED = 3;

/** Proxies that are gone, and fleets that have fewer proxies than they should, or more; given those that are connected. */
export function presenceFindings(
  { mirror }: Pick<Context, "mirror">,
  connected: Iterable<Pick<ToldNode, "id" | "fleet">>,
): Finding[] {
  const elsewhere = new Map(Array.from(connected, ({ id, fleet }) => [id, fleet]));
  const recorded = presenceByFleet(mirror.records("presence").values());
  const gone = Map.groupBy(
    [...goneProxies({ mirror }, elsewhere).values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    ({ fleet }) => fleet,
  );
  return Array.from(mirror.all("fleet"), ({ name, expected }) => {
    const left = gone.get(name) ?? [];
    const there = proxiesThere(name, recorded.get(name) ?? [], elsewhere);
    return [
      ...countFindings(name, expected, there, left),
      ...goneFindings(
        name,
        left.filter(({ client }) => isMissed({ state: "gone", client })),
      ),
    ];
  }).flat();
}

/** Those that are connected, and those that are recorded as here: they may be on their way from one plane to another. */
function proxiesThere(
  fleet: Name,
  recorded: readonly Presence[],
  connected: ReadonlyMap<string, Name | undefined>,
): number {
  const there = new Set<string>();
  for (const [id, of] of connected) if (of === fleet) there.add(id);
  for (const { id, state } of recorded) if (state === "here" && !connected.has(id)) there.add(id);
  return there.size;
}

function countFindings(fleet: Name, expected: number | undefined, there: number, gone: readonly ToldNode[]): Finding[] {
  if (expected === undefined || there === expected) return [];
  if (there > expected) {
    const what = `fleet ${fleet} has ${there} ${there === 1 ? "proxy" : "proxies"}, and ${expected} are expected`;
    const why = "set `expected` to how many there should be, or stop what should not be there";
    return [{ what, since: undefined, why, severity: "notice" }];
  }
  const missing = expected - there;
  // As many as are missing left last; those before them have been replaced.
  const since = gone.map((node) => node.since).toSorted((a, b) => b - a)[missing - 1];
  const why =
    gone.length === 0
      ? "none is known to be gone: the others have not connected yet, or were forgotten"
      : `gone: ${firstFew(gone, QUOTED, ({ id }) => id)}`;
  return [{ what: `fleet ${fleet} has ${there} of ${expected} expected proxies`, since, why }];
}

function goneFindings(fleet: Name, gone: readonly ToldNode[]): Finding[] {
  const latestFirst = gone.toSorted((a, b) => b.since - a.since);
  const listed = latestFirst.slice(0, LISTED).map((node): Finding => {
    const cure = `if it will not come back: \`fairlead forget node/${node.id}\``;
    return { what: `proxy ${node.id} of fleet ${fleet} is gone`, since: node.since, why: `${goneText(node)}; ${cure}` };
  });
  const more = latestFirst.slice(LISTED);
  if (more.length === 0) return listed;
  const what = `${more.length} more proxies of fleet ${fleet} are gone`;
  return [...listed, { what, since: more.at(-1)?.since, why: "`fairlead nodes` lists them" }];
}
