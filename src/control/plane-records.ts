import type { PlaneAddress } from "../domain/backend-networks.ts";
import type { PlaneRecord } from "./plane-record.ts";

/** Where planes listen, by what each has recorded. */
export class PlaneRecords {
  readonly #byKey = new Map<string, PlaneRecord>();
  #addresses: readonly PlaneAddress[] = [];

  get byKey(): ReadonlyMap<string, PlaneRecord> {
    return this.#byKey;
  }

  /** Of all of them, in a fixed order; the same list until one of the addresses changes. */
  get addresses(): readonly PlaneAddress[] {
    return this.#addresses;
  }

  write(key: string, record: PlaneRecord | undefined): void {
    if (record === undefined) this.#byKey.delete(key);
    else this.#byKey.set(key, record);
    const all = new Map<string, PlaneAddress>();
    for (const { addresses } of this.#byKey.values())
      for (const { ip, port } of addresses) all.set(`${ip} ${port}`, { ip, port });
    const next = [...all].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, address]) => address);
    const same = next.length === this.#addresses.length && next.every((one, i) => isSame(one, this.#addresses[i]));
    if (!same) this.#addresses = next;
  }
}

function isSame(a: PlaneAddress, b: PlaneAddress | undefined): boolean {
  return a.ip === b?.ip && a.port === b.port;
}
