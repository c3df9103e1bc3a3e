import { maySelect } from "../../domain/fleet-selection.ts";
import type { State } from "../../domain/state.ts";
import type { NodeDirectory, OnItsWay, Progress, Told, ToldNode, UnknownReplica } from "../../fleet/node-directory.ts";
import type { Revision } from "../../store/revision.ts";
import { precondition, readName } from "../object-errors.ts";
import type { OnDisconnected } from "./assess-wait.ts";
import { nodeNotFound } from "./get-node.ts";

/** Which proxies a wait concerns. */
export interface Wanted {
  /** Only those of this fleet; empty: of any. */
  readonly fleet: string;
  /** Only those with these ids; empty: all. */
  readonly nodes: readonly string[];
  readonly allowEmpty: boolean;
  /** How many must be done; 0: all. */
  readonly atLeast: number;
  readonly onDisconnected: OnDisconnected;
}

const NOT_LOOKED: Progress = { state: "unknown", message: "" };

/** The proxies that one wait is about, and their progress. */
export class AwaitedProxies {
  readonly progress = new Map<string, Progress>();
  readonly #nodes: NodeDirectory;
  readonly #isConcerned: (node: ToldNode) => boolean;
  /** Proxies that connected after the wait began. */
  joined: readonly string[] = [];
  /** Proxies that were away when the wait began, and are therefore left out. */
  skipped: readonly string[] = [];
  /** How many proxies share an id, where several do. */
  copies: ReadonlyMap<string, number> = new Map();
  /** Replicas that were silent when the wait began, and still are. */
  unknown: readonly UnknownReplica[] = [];

  /** @throws ControlPlaneError when the wait concerns no proxy, fewer than asked for, or one that nobody knows. */
  static async freeze(nodes: NodeDirectory, state: Pick<State, "get">, wanted: Wanted): Promise<AwaitedProxies> {
    const awaited = new AwaitedProxies(nodes, selector(state, wanted));
    awaited.#begin(wanted, await nodes.nodes({ detail: "place" }));
    return awaited;
  }

  private constructor(nodes: NodeDirectory, isConcerned: (node: ToldNode) => boolean) {
    this.#nodes = nodes;
    this.#isConcerned = isConcerned;
  }

  /** Looks up the progress of the proxies that are not done. */
  async look(revision: Revision, onItsWay: OnItsWay | undefined): Promise<void> {
    const open = [...this.progress].flatMap(([id, { state }]) => (state === "done" ? [] : id));
    const { progress } = await this.#nodes.progress(open, revision, onItsWay);
    for (const [id, one] of progress) this.progress.set(id, one);
  }

  /** Looks for proxies that joined, and for replicas that answer again. */
  async count(): Promise<void> {
    const { told, unknown } = await this.#nodes.nodes({ detail: "place" });
    const concerned = told.filter(this.#isConcerned);
    this.copies = copiesOf(concerned);
    const still = this.unknown.flatMap(({ replica }) => unknown.find((one) => one.replica === replica) ?? []);
    const back = this.unknown.filter((one) => !still.some(({ replica }) => replica === one.replica));
    for (const { id, replica } of concerned) {
      if (!this.progress.has(id) && back.some((one) => one.replica === replica)) this.progress.set(id, NOT_LOOKED);
    }
    this.unknown = still;
    const joined = concerned.filter((node) => node.connected && !this.progress.has(node.id)).map(({ id }) => id);
    this.joined = [...new Set(joined)];
  }

  #begin({ nodes: named, allowEmpty, atLeast, onDisconnected }: Wanted, { told, unknown }: Told<readonly ToldNode[]>) {
    const missing = named.filter((id) => !told.some((node) => node.id === id));
    if (missing.length > 0 && unknown.length === 0) throw nodeNotFound(missing);
    const skip = onDisconnected === "SKIP";
    const all = told.filter(this.#isConcerned);
    const concerned = all.filter(({ connected }) => connected || !skip);
    this.skipped = [...new Set(all.filter(({ connected }) => skip && !connected).map(({ id }) => id))];
    for (const id of [...missing, ...concerned.map(({ id }) => id)]) this.progress.set(id, NOT_LOOKED);
    this.copies = copiesOf(concerned);
    // A caller that names proxies waits for those, wherever they are.
    if (named.length === 0) this.unknown = unknown;
    if (unknown.length > 0) return;
    const count = missing.length + concerned.length;
    if (count === 0 && !allowEmpty) {
      throw precondition(
        "NO_PROXIES",
        "no proxy that this would wait for is connected or was seen lately; set allow_empty to accept that",
      );
    }
    if (count < atLeast) {
      throw precondition("NOT_ENOUGH_PROXIES", `at_least is ${atLeast}, but only ${count} proxies are concerned`);
    }
  }
}

function copiesOf(nodes: readonly ToldNode[]): ReadonlyMap<string, number> {
  const copies = new Map<string, number>();
  for (const { id, duplicate } of nodes) if (duplicate) copies.set(id, (copies.get(id) ?? 0) + 1);
  return copies;
}

/**
 * Nothing is due to a proxy that no fleet selects, nor to one that is away and whose fleet was deleted or no longer selects
 * it: such a proxy is waited for only if it is named.
 */
function selector(state: Pick<State, "get">, { fleet, nodes }: Wanted): (node: ToldNode) => boolean {
  const wantedFleet = fleet === "" ? undefined : readName("fleet", fleet, "fleet");
  const wanted = nodes.length === 0 ? undefined : new Set(nodes);
  return ({ id, cluster, fleet, connected }) => {
    if (wantedFleet !== undefined && fleet !== wantedFleet) return false;
    if (wanted !== undefined) return wanted.has(id);
    const stored = fleet === undefined ? undefined : state.get("fleet", fleet);
    return connected ? fleet !== undefined : stored !== undefined && maySelect(stored, cluster);
  };
}
