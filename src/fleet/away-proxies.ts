import { MAX_REMEMBERED, type NodeView, type Progress, REMEMBERED_MS } from "./node-directory.ts";

export interface Away {
  readonly view: NodeView;
  /** The oldest publication to its fleet that it is not known to have acknowledged; nothing while there is none. */
  owes: number | undefined;
}

/**
 * Proxies that left lately, and what each of them owes since. One that comes back is kept as it was until it leaves again or
 * is forgotten: a stream that breaks at once has not shown what its proxy holds.
 */
export class AwayProxies {
  /** The one that was seen longest ago first. */
  readonly #byId = new Map<string, Away>();
  /** Those that owe nothing, by fleet: the next publication to it is due to all of them. */
  readonly #upToDate = new Map<string, Set<Away>>();

  get size(): number {
    return this.#byId.size;
  }

  all(): Iterable<Away> {
    return this.#byId.values();
  }

  get(id: string): Away | undefined {
    return this.#byId.get(id);
  }

  /** Of a proxy of this fleet that nobody has seen before, nobody knows what it holds: it owes all there is. */
  owedBy(id: string, fleet: string | undefined): number | undefined {
    const known = this.#byId.get(id);
    return known !== undefined && known.view.fleet === fleet ? known.owes : 0;
  }

  put(view: NodeView, owes: number | undefined): void {
    this.#delete(view.id);
    const away = { view, owes };
    this.#byId.set(view.id, away);
    if (owes !== undefined || view.fleet === undefined) return;
    const ofFleet = this.#upToDate.get(view.fleet) ?? new Set();
    this.#upToDate.set(view.fleet, ofFleet.add(away));
  }

  published(fleet: string, publication: number): void {
    for (const away of this.#upToDate.get(fleet) ?? []) away.owes = publication;
    this.#upToDate.delete(fleet);
  }

  /** Nothing for a proxy that nobody remembers. `publication` is the awaited one, where it is made already. */
  progress(id: string, publication: number | undefined): Progress | undefined {
    const known = this.#byId.get(id);
    if (known === undefined) return undefined;
    const { view, owes } = known;
    const nothingDue = publication !== undefined && (owes === undefined || owes > publication);
    return { state: "disconnected", message: "no open stream", leftAt: view.since, nothingDue };
  }

  /** What was inherited may be older than what stands before it: that goes a little later. */
  forget(now: number): void {
    for (const [id, { view }] of this.#byId) {
      if (view.since >= now - REMEMBERED_MS && this.#byId.size <= MAX_REMEMBERED) return;
      this.#delete(id);
    }
  }

  #delete(id: string): void {
    const known = this.#byId.get(id);
    if (known === undefined) return;
    this.#byId.delete(id);
    const { fleet = "" } = known.view;
    const ofFleet = this.#upToDate.get(fleet);
    if (ofFleet?.delete(known) && ofFleet.size === 0) this.#upToDate.delete(fleet);
  }
}
