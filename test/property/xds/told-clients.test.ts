/** Delta clients that do what the protocol says and no more, and are told of every removal. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DeltaRequest, Report, Send } from "../../../src/xds/protocol/events.ts";
import { lostAnswers } from "../../../src/xds/protocol/lost-answers.ts";
import type { Resource } from "../../../src/xds/protocol/resource.ts";
import {
  CLUSTER_TYPE,
  createTellingRegistry,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
} from "../../../src/xds/protocol/resource-types.ts";
import { ProtocolStream } from "../../../src/xds/protocol/stream.ts";
import { LocalRefusalMemory } from "../../../src/xds/server/refusal-memory.ts";
import { ResourceCache } from "../../../src/xds/server/resource-cache.ts";

const RUNS = Number(process.env["FAIRLEAD_PROPERTY_RUNS"] ?? 300);
const GROUP = "g";
const NAMES = ["a", "b", "c"];
/** Each leads to the next one, by a resource of the same name. */
const TYPES = [LISTENER_TYPE, ROUTE_TYPE, CLUSTER_TYPE, ENDPOINT_TYPE];
const REGISTRY = createTellingRegistry();

/** The content of the resources of one name, by type; an empty one is absent. */
type Content = { readonly name: string; readonly versions: readonly string[] };

type Move =
  | { readonly kind: "publish"; readonly contents: readonly Content[] }
  | { readonly kind: "read" | "serve"; readonly count: number }
  | { readonly kind: "reconnect"; readonly order: readonly string[] }
  | { readonly kind: "pass"; readonly ms: number };

/** Asks for every name of every type, applies all of a response or, if it has something bad, nothing. */
class Client {
  readonly has = new Map<string, Map<string, Resource>>(TYPES.map((typeUrl) => [typeUrl, new Map()]));
  readonly inbox: Send[] = [];
  readonly outbox: DeltaRequest[] = [];
  /** What it had when something that it refers to was removed. */
  readonly bereft: string[] = [];

  connect(order: readonly string[]): void {
    this.inbox.length = 0;
    this.outbox.length = 0;
    for (const typeUrl of order) {
      const versions = Array.from(this.of(typeUrl), ([name, { version }]) => [name, version] as const);
      this.outbox.push({ ...nothing(typeUrl), subscribe: NAMES, initialVersions: new Map(versions) });
    }
  }

  read(): void {
    const send = this.inbox.shift();
    if (!send) return;
    const { typeUrl, nonce, resources, removed } = send;
    const isBad = resources.some(({ version }) => version.startsWith("bad"));
    if (!isBad) {
      for (const resource of resources) this.of(typeUrl).set(resource.name, resource);
      for (const name of removed) {
        if (this.of(typeUrl).delete(name)) this.bereft.push(...this.#referrersOf(typeUrl, name));
      }
    }
    this.outbox.push({ ...nothing(typeUrl), nonce, error: isBad ? { code: 3, message: "bad" } : undefined });
  }

  of(typeUrl: string): Map<string, Resource> {
    const held = this.has.get(typeUrl);
    if (!held) throw new Error(`no such type here: ${typeUrl}`);
    return held;
  }

  #referrersOf(typeUrl: string, name: string): string[] {
    return TYPES.flatMap((of) =>
      [...this.of(of).values()]
        .filter(({ references }) => references.some((to) => to.typeUrl === typeUrl && to.name === name))
        .map((referrer) => `${of} ${referrer.name} of ${name}`),
    );
  }
}

class Exchange {
  readonly cache = new ResourceCache();
  readonly client = new Client();
  readonly #memory = new LocalRefusalMemory();
  #stream: ProtocolStream | undefined;
  #streams = 0;
  #now = 0;

  constructor() {
    this.cache.update(GROUP, () => undefined);
    this.cache.onChange((_group, changes, publication) => {
      for (const [typeUrl, names] of changes) this.#stream?.publish(typeUrl, names, publication);
    });
    this.#connect(TYPES);
  }

  play(move: Move): void {
    if (move.kind === "pass") this.#now += move.ms;
    else if (move.kind === "reconnect") this.#connect(move.order);
    else if (move.kind === "publish") this.#publish(move.contents);
    else for (let index = 0; index < move.count; index++) this.#step(move.kind);
    this.#flush();
  }

  /** Delivers everything until nothing moves any more. */
  settle(): void {
    for (let round = 0; round < 60; round++) {
      for (let index = 0; index < 20; index++) {
        this.#step("read");
        this.#step("serve");
      }
      this.#now += 1000;
      this.#flush();
    }
    const pending = this.#stream?.oldestPending();
    if (pending !== undefined) throw new Error(`publication ${pending} does not come to rest`);
  }

  #step(kind: "read" | "serve"): void {
    if (kind === "read") {
      this.client.read();
      return;
    }
    const request = this.client.outbox.shift();
    if (request) this.#note(this.#stream?.receiveDelta(request, this.#now) ?? []);
    this.#flush();
  }

  #connect(order: readonly string[]): void {
    const lost = lostAnswers(this.#stream?.states ?? new Map());
    this.#stream = new ProtocolStream({
      variant: "delta",
      registry: REGISTRY,
      aggregated: true,
      nonceTags: { own: `${this.#streams++}-`, shared: "s" },
      waitMs: 20_000,
      overtakeMs: 1000,
      settleMs: 1000,
      retry: { baseMs: 1000, maxMs: 300_000, spread: 0 },
      maxResponseBytes: 1_000_000,
      maxAbsent: 2,
      honoursTtl: false,
      takesPartly: false,
    });
    for (const { typeUrl, name } of this.#memory.load("")) this.#stream.remember(typeUrl, name);
    this.#stream.recall(lost);
    this.#stream.attach(this.cache.served(GROUP));
    this.client.connect(order);
  }

  #publish(contents: readonly Content[]): void {
    this.cache.update(GROUP, (tx) => {
      for (const { name, versions } of contents) {
        for (const [index, typeUrl] of TYPES.entries()) {
          const version = versions[index] ?? "";
          const to = TYPES[index + 1];
          // The last letter of a version is the name that it leads to.
          const references = to === undefined ? [] : [{ typeUrl: to, name: version.at(-1) ?? name }];
          if (version === "") tx.delete(typeUrl, name);
          else tx.set({ typeUrl, name, version, body: Buffer.from(version), references });
        }
      }
    });
  }

  #flush(): void {
    if (!this.#stream) return;
    const { sends, reports } = this.#stream.flush(this.#now, () => undefined);
    this.client.inbox.push(...sends);
    this.#note(reports);
  }

  #note(reports: readonly Report[]): void {
    for (const report of reports) {
      if (report.kind === "cleared") this.#memory.clear("", report.typeUrl, report.names);
      if (report.kind !== "nack") continue;
      this.#memory.record("", { typeUrl: report.typeUrl, names: [...report.refusal.items.keys()], message: "" });
    }
  }
}

function nothing(typeUrl: string): DeltaRequest {
  return { typeUrl, nonce: "", error: undefined, subscribe: [], unsubscribe: [], initialVersions: new Map() };
}

const good = fc.tuple(fc.constantFrom("1", "2"), fc.constantFrom(...NAMES)).map(([content, to]) => `${content}-${to}`);
const absent = fc.constant("");
const bad = fc.constantFrom(...NAMES).map((to) => `bad-${to}`);
const contents = (of: fc.Arbitrary<string>) =>
  fc.tuple(...NAMES.map((name) => fc.record({ name: fc.constant(name), versions: fc.tuple(of, of, of, of) })));
const steps: fc.Arbitrary<Move>[] = [
  fc.record({ kind: fc.constantFrom("read", "serve"), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant("reconnect"), order: fc.shuffledSubarray(TYPES, { minLength: TYPES.length }) }),
  fc.record({ kind: fc.constant("pass"), ms: fc.constantFrom(10, 100) }),
];
const published = (of: fc.Arbitrary<readonly Content[]>): fc.Arbitrary<Move> =>
  fc.record({ kind: fc.constant("publish"), contents: of });
const moves = (publication: fc.Arbitrary<Move>) => {
  const weights = [8, 1, 1];
  return fc.array(
    fc.oneof(
      { weight: 3, arbitrary: publication },
      ...steps.map((arbitrary, index) => ({ weight: weights[index] ?? 1, arbitrary })),
    ),
    { maxLength: 60 },
  );
};

describe("a delta client that is told of every removal", () => {
  it("xds D10, D11, D14, R28: has in the end just what there is, whatever happened", () => {
    const any = contents(fc.oneof(good, absent, bad));
    const ending = contents(fc.oneof(good, absent));
    fc.assert(
      fc.property(moves(published(any)), ending, (played, last) => {
        const exchange = new Exchange();
        for (const move of [...played, { kind: "publish", contents: last } as const]) exchange.play(move);
        exchange.settle();
        for (const typeUrl of TYPES) {
          const wanted = exchange.cache.list(GROUP, typeUrl).map(({ name, version }) => [name, version] as const);
          const has = Array.from(exchange.client.of(typeUrl), ([name, { version }]) => [name, version] as const);
          expect(new Map(has)).toEqual(new Map(wanted));
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("xds R1, R28: keeps nothing that refers to what was removed, as long as no publication does", () => {
    // Each name is there as a whole or not at all, and leads only to names that are there.
    const whole = fc.subarray(NAMES, { minLength: 1 }).chain((present) => {
      const leads = fc
        .constantFrom("1", "2")
        .chain((content) => fc.constantFrom(...present.map((to) => `${content}-${to}`)));
      return fc.tuple(
        ...NAMES.map((name) =>
          fc
            .tuple(leads, leads, leads, leads)
            .map((versions): Content => ({ name, versions: present.includes(name) ? versions : [] })),
        ),
      );
    });
    fc.assert(
      fc.property(published(whole), moves(published(whole)), (first, played) => {
        const exchange = new Exchange();
        exchange.play(first);
        exchange.settle();
        for (const move of played) exchange.play(move);
        exchange.settle();
        expect(exchange.client.bereft).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});
