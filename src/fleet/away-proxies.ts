import { MAX_REMEMBERED, type Progress, REMEMBERED_MS, type ToldNode } from "./node-directory.ts";

export interface Away {
  readonly node: ToldNode;
  /** The oldest publication to its fleet that it is not known to have acknowledged; undefined if there is none. */
  owes: number | undefined;
}

/**
 * Proxies that left recently, and what each of them still has to acknowledge. One that comes back keeps its entry until it
 * leaves again or is forgotten: a stream that breaks at once has not shown what its proxy holds.
 */
export class AwayProxies {
  /** The one seen longest ago comes first. */
  readonly #byId = new Map<string, Away>();
  /** Those that owe nothing, by fleet: the fleet's next publication is due to all of them. */
  readonly #upToDate = new Map<string, Set<Away>>();

  /** By node id. */
  get byId(): ReadonlyMap<string, Away> {
    return this.#byId;
  }

  /** Nobody knows what a proxy holds that was not seen in this fleet before: it owes everything. */
  owedBy(id: string, fleet: string | undefined): number | undefined {
    const known = this.#byId.get(id);
    return known !== undefined && known.node.fleet === fleet ? known.owes : 0;
  }

  put(node: ToldNode, owes: number | undefined): void {
    this.#delete(node.id);
    const away = { node, owes };
    this.#byId.set(node.id, away);
    if (owes !== undefined || node.fleet === undefined) return;
    const ofFleet = this.#upToDate.get(node.fleet) ?? new Set();
    this.#upToDate.set(node.fleet, ofFleet.add(away));
  }

  published(fleet: string, publication: number): void {
    for (const away of this.#upToDate.get(fleet) ?? []) away.owes = publication;
    this.#upToDate.delete(fleet);
  }

  /** Undefined for a proxy that is not remembered. `publication` is the awaited one, if it has been made already. */
  progress(id: string, publication: number | undefined): Progress | undefined {
    const known = this.#byId.get(id);
    if (known === undefined) return undefined;
    const { node, owes } = known;
    const nothingDue = publication !== undefined && (owes === undefined || owes > publication);
    return { state: "disconnected", message: "no open stream", leftAt: node.since, nothingDue };
  }

  drop(id: string): void {
    this.#delete(id);
  }

  /** An inherited entry may be older than those before it, and is then forgotten a little late. */
  forget(now: number): void {
    for (const [id, { node }] of this.#byId) {
      if (node.since >= now - REMEMBERED_MS && this.#byId.size <= MAX_REMEMBERED) return;
      this.#delete(id);
    }
  }

  #delete(id: string): void {
    const known = this.#byId.get(id);
    if (known === undefined) return;
    this.#byId.delete(id);
    const { fleet = "" } = known.node;
    const ofFleet = this.#upToDate.get(fleet);
    if (ofFleet?.delete(known) && ofFleet.size === 0) this.#upToDate.delete(fleet);
  }
}
