import { formatVersion } from "../protocol/resource.ts";

type Addressed = { readonly name: string; readonly version: string; readonly addresses: readonly string[] };

/** Most versions of listeners, and of a group's listeners together, with remembered addresses; the oldest go first. */
const MAX_VERSIONS = 10_000;
const MAX_LAYOUTS = 100;

/** Addresses that resources of a group have or had, by the versions that a returning client presents. */
export class PastAddresses {
  readonly #byVersion = new Map<string, readonly string[]>();
  readonly #layouts = new Map<string, ReadonlyMap<string, readonly string[]>>();

  /** @param given The version that a caller gave the type instead of the sum. */
  keep(resources: readonly Addressed[], { sum, given }: { sum: bigint; given: string | undefined }): void {
    for (const { version, addresses } of resources) put(this.#byVersion, version, addresses, MAX_VERSIONS);
    const layout = new Map(resources.map(({ name, addresses }) => [name, addresses]));
    put(this.#layouts, given ?? formatVersion(sum), layout, MAX_LAYOUTS);
  }

  ofResource(version: string): readonly string[] | undefined {
    return this.#byVersion.get(version);
  }

  ofType(version: string): ReadonlyMap<string, readonly string[]> | undefined {
    return this.#layouts.get(version);
  }
}

function put<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.size > most ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
}
