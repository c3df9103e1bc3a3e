import type { PlaneAddress, PlaneRecord } from "../domain/backend-networks.ts";

/** Where planes listen, as each has recorded it, in a fixed order; returns `known` itself if that is the same. */
export function addressesOf(records: Iterable<PlaneRecord>, known: readonly PlaneAddress[]): readonly PlaneAddress[] {
  const all = new Map<string, PlaneAddress>();
  for (const { addresses } of records) for (const { ip, port } of addresses) all.set(`${ip} ${port}`, { ip, port });
  const next = [...all].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, address]) => address);
  const isSame = next.every(({ ip, port }, i) => ip === known[i]?.ip && port === known[i]?.port);
  return isSame && next.length === known.length ? known : next;
}
