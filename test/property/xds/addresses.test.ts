import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Send } from "../../../src/xds/protocol/events.ts";
import type { Resource } from "../../../src/xds/protocol/resource.ts";
import { createRegistry, LISTENER_TYPE } from "../../../src/xds/protocol/resource-types.ts";
import { ProtocolStream } from "../../../src/xds/protocol/stream.ts";
import { ResourceCache } from "../../../src/xds/server/resource-cache.ts";

/** Which address each listener has at a moment, if it is there at all. */
type Layout = Readonly<Record<string, string>>;

const NAMES = ["a", "b", "c", "d", "e"];
const ADDRESSES = ["80", "81", "82", "83", "84", "85"];
const REGISTRY = createRegistry();

const layout: fc.Arbitrary<Layout> = fc
  .tuple(fc.subarray(NAMES), fc.shuffledSubarray(ADDRESSES, { minLength: NAMES.length }))
  .map(([names, addresses]) => Object.fromEntries(names.map((name, i) => [name, addresses[i] ?? ""])));

/** Applies responses as Envoy does: removals first, then one listener after the other, each only onto a free address. */
class Client {
  readonly open = new Map<string, Resource>();
  readonly refused: string[] = [];
  /** What it presents over SotW when it comes back. */
  version = "";

  take(send: Send, variant: "delta" | "sotw"): void {
    this.version = send.version;
    const listed = new Set(send.resources.map(({ name }) => name));
    const gone = variant === "delta" ? send.removed : [...this.open.keys()].filter((name) => !listed.has(name));
    for (const name of gone) this.open.delete(name);
    for (const resource of send.resources) {
      const holder = this.open
        .values()
        .find(({ name, addresses }) => name !== resource.name && addresses[0] === resource.addresses[0]);
      if (holder) this.refused.push(`${resource.name} on ${resource.addresses[0]} of ${holder.name}`);
      else this.open.set(resource.name, resource);
    }
  }
}

class World {
  readonly client = new Client();
  readonly #cache = new ResourceCache();
  readonly #variant: "delta" | "sotw";
  #stream: ProtocolStream | undefined;
  #streams = 0;
  #unanswered: Send[] = [];
  #now = 0;

  constructor(variant: "delta" | "sotw") {
    this.#variant = variant;
    this.#cache.update("g", () => undefined);
    this.#cache.onChange((_group, changes, publication) => {
      for (const [typeUrl, names] of changes) this.#stream?.publish(typeUrl, names, publication);
    });
    this.connect();
  }

  connect(): void {
    this.#unanswered = [];
    this.#stream = new ProtocolStream({
      variant: this.#variant,
      registry: REGISTRY,
      aggregated: true,
      nonceTags: { own: `${this.#streams++}-`, shared: "s" },
      waitMs: 15_000,
      overtakeMs: 1000,
      settleMs: 0,
      retry: { baseMs: 1000, maxMs: 300_000, spread: 0 },
      maxResponseBytes: 1_000_000,
      maxAbsent: 1,
      takesPartly: false,
      honoursTtl: false,
    });
    this.#stream.attach(this.#cache.served("g"));
    const common = { typeUrl: LISTENER_TYPE, nonce: "", error: undefined };
    if (this.#variant === "sotw")
      this.#stream.receiveSotw({ ...common, versionInfo: this.client.version, names: [] }, this.#now);
    else {
      const initialVersions = new Map([...this.client.open].map(([name, { version }]) => [name, version]));
      this.#stream.receiveDelta({ ...common, subscribe: [], unsubscribe: [], initialVersions }, this.#now);
    }
    this.flush();
  }

  publish(wanted: Layout): void {
    this.#cache.update("g", (tx) => {
      for (const name of NAMES) {
        const address = wanted[name];
        if (address === undefined) tx.delete(LISTENER_TYPE, name);
        else tx.set({ typeUrl: LISTENER_TYPE, name, body: Buffer.from(address), addresses: [address], references: [] });
      }
    });
    this.flush();
  }

  flush(): void {
    for (const send of this.#stream?.flush(this.#now, () => undefined).sends ?? []) {
      this.client.take(send, this.#variant);
      this.#unanswered.push(send);
    }
  }

  /** The server hears of what the client has taken. */
  answer(): void {
    this.#now += 10;
    const common = { typeUrl: LISTENER_TYPE, error: undefined };
    for (const { nonce, version } of this.#unanswered.splice(0)) {
      if (this.#variant === "sotw")
        this.#stream?.receiveSotw({ ...common, nonce, versionInfo: version, names: [] }, this.#now);
      else {
        const nothing = { subscribe: [], unsubscribe: [], initialVersions: new Map() };
        this.#stream?.receiveDelta({ ...common, ...nothing, nonce }, this.#now);
      }
    }
    this.flush();
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: layout },
  { weight: 3, arbitrary: fc.constant("answer" as const) },
  { weight: 1, arbitrary: fc.constant("reconnect" as const) },
);

describe("addresses that change hands", () => {
  it.each(["delta", "sotw"] as const)(
    "are never refused by a client that takes one listener after the other, over %s, and all end where they belong",
    (variant) => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 25 }), layout, (steps, last) => {
          const world = new World(variant);
          for (const each of steps) {
            if (each === "answer") world.answer();
            else if (each === "reconnect") world.connect();
            else world.publish(each);
          }
          world.publish(last);
          for (let i = 0; i < 4; i++) world.answer();
          expect(world.client.refused).toEqual([]);
          const open = [...world.client.open].map(([name, { addresses }]) => [name, addresses[0]]);
          expect(Object.fromEntries(open)).toEqual(last);
        }),
        { numRuns: 500 },
      );
    },
  );
});
