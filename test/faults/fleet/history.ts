/** What a fleet of simulated proxies was told, held against what the planes acknowledged: checked from the outside. */
import type { ClusterLoadAssignment } from "../../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import { SimulatedProxy } from "./simulated-proxy.ts";

/** One service whose only backend moves on with each write: the place in its address is the count. */
export const COUNTED = "counted";
/** One service that only loses backends. */
export const SHRINKING = "shrinking";

/** The address that says `count`. */
export function addressOf(count: number): string {
  return `10.${(count >> 16) & 255}.${(count >> 8) & 255}.${count & 255}:80`;
}

function countOf(address: string): number {
  return address
    .split(".")
    .slice(1)
    .reduce((count, part) => count * 256 + Number(part), 0);
}

export class FleetHistory {
  readonly #proxies: readonly SimulatedProxy[];
  /** What each proxy was told last: the count, and how many backends were left. */
  readonly #last: { count: number; left: number }[];
  readonly #steps: string[] = [];

  constructor(options: { readonly size: number; readonly planes: readonly string[] }) {
    const { size, planes } = options;
    this.#last = Array.from({ length: size }, () => ({ count: -1, left: Number.POSITIVE_INFINITY }));
    this.#proxies = this.#last.map(
      (last, i) =>
        new SimulatedProxy({
          nodeId: `simulated-${i}`,
          variant: i % 2 === 0 ? "delta" : "sotw",
          planes,
          random: seededRandom(i),
          onEndpoints: (endpoints) => this.#told(i, last, endpoints),
        }),
    );
  }

  /** Every time that some proxy was told what it had been told something newer than before. */
  get stepsBack(): readonly string[] {
    return this.#steps;
  }

  get connections(): number {
    return this.#proxies.reduce((sum, { connections }) => sum + connections, 0);
  }

  /** How many proxies are at this state. */
  at(state: { readonly count: number; readonly left: number }): number {
    return this.#last.filter(({ count, left }) => count === state.count && left === state.left).length;
  }

  /** The states that proxies are at, for messages. */
  summary(): string {
    const counts = new Map<string, number>();
    for (const { count, left } of this.#last) {
      const state = `count ${count}, ${left} left`;
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    return [...counts].map(([state, proxies]) => `${proxies} proxies at ${state}`).join("; ");
  }

  stop(): void {
    for (const proxy of this.#proxies) proxy.stop();
  }

  #told(proxy: number, last: { count: number; left: number }, { clusterName, endpoints }: ClusterLoadAssignment): void {
    const hosts = endpoints.flatMap(({ lbEndpoints }) => lbEndpoints.map(({ hostIdentifier }) => hostIdentifier));
    if (clusterName === SHRINKING) {
      if (hosts.length > last.left) this.#steps.push(`proxy ${proxy}: ${hosts.length} backends after ${last.left}`);
      last.left = hosts.length;
    }
    if (clusterName === COUNTED) {
      const [host] = hosts;
      const address = host?.case === "endpoint" ? host.value.address?.address : undefined;
      const count = address?.case === "socketAddress" ? countOf(address.value.address) : -1;
      if (count < last.count) this.#steps.push(`proxy ${proxy}: count ${count} after ${last.count}`);
      last.count = count;
    }
  }
}
