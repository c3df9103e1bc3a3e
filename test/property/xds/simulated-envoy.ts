/**
 * A client with Envoy's habits, as far as they were seen: it withholds the ACK of clusters while one warms, applies
 * parts of what it refuses, presents versions that are not the truth afterwards, repeats requests, and begins a new
 * stream with endpoints when it was warming. Content that begins with "bad" is refused.
 */
import type { DeltaRequest, Send, SotwRequest } from "../../../src/xds/protocol/events.ts";
import type { Resource } from "../../../src/xds/protocol/resource.ts";
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from "../../../src/xds/protocol/resource-types.ts";

export type ClientRequest =
  | { readonly variant: "delta"; readonly request: DeltaRequest }
  | { readonly variant: "sotw"; readonly request: SotwRequest };

type Answer = { readonly send: Send; readonly error: string | undefined };

/** One type as the client has it. */
class Held {
  readonly resources = new Map<string, Resource>();
  /** What a delta client would present; wrong after a refusal that was applied in part. */
  readonly presented = new Map<string, string>();
  names: readonly string[] = [];
  requested = false;
  acceptedVersion = "";
  nonce = "";
}

const ORDER = [CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE];
const WILDCARD = new Set([CLUSTER_TYPE, LISTENER_TYPE]);

export class SimulatedEnvoy {
  readonly variant: "delta" | "sotw";
  readonly inbox: Send[] = [];
  readonly outbox: ClientRequest[] = [];
  /** What should never have happened. */
  readonly violations: string[] = [];
  /** Of all its streams: one that a client repeats from an earlier stream must mean nothing (xds C3, S10). */
  readonly #nonces = new Set<string>();
  readonly #types = new Map(ORDER.map((typeUrl) => [typeUrl, new Held()]));
  readonly #warming = new Set<string>();
  /** Clusters that traffic can be sent to: warmed at least once, and not removed since. */
  readonly live = new Set<string>();
  readonly #withheld: Answer[] = [];
  readonly #random: () => number;

  constructor(variant: "delta" | "sotw", random: () => number) {
    this.variant = variant;
    this.#random = random;
  }

  has(typeUrl: string): ReadonlyMap<string, Resource> {
    return this.#of(typeUrl).resources;
  }

  /** Routes that lead nowhere at this moment. */
  brokenRoutes(): string[] {
    const routes = [...this.#of(ROUTE_TYPE).resources.values()];
    return routes
      .filter(({ references }) => references.some(({ name }) => !this.live.has(name)))
      .map(({ name }) => name);
  }

  get warming(): ReadonlySet<string> {
    return this.#warming;
  }

  /** Begins a new stream with all that the last one left. */
  connect(): void {
    this.inbox.length = 0;
    this.outbox.length = 0;
    this.#withheld.length = 0;
    for (const held of this.#types.values()) {
      held.requested = false;
      held.nonce = "";
    }
    for (const typeUrl of ORDER) {
      if (typeUrl === CLUSTER_TYPE && this.#warming.size > 0) continue;
      this.#of(typeUrl).names = this.#wantedNames(typeUrl);
      if (WILDCARD.has(typeUrl) || this.#of(typeUrl).names.length > 0) this.#first(typeUrl);
    }
  }

  /** `initial_fetch_timeout`: what still warms goes on with what it had. */
  expire(): void {
    if (this.#warming.size === 0) return;
    this.#warming.clear();
    this.#resubscribe();
    this.#releaseAnswers();
  }

  /** Takes one response off the wire. */
  step(): void {
    const send = this.inbox.shift();
    if (!send) return;
    if (this.#nonces.has(send.nonce)) this.violations.push(`${send.nonce} is the nonce of an earlier response`);
    this.#nonces.add(send.nonce);
    this.#of(send.typeUrl).nonce = send.nonce;
    const error = this.#take(send);
    if (send.typeUrl === CLUSTER_TYPE && this.#warming.size > 0) this.#withheld.push({ send, error });
    else this.#judge(send, error);
    this.#resubscribe();
    if (this.#warming.size === 0) this.#releaseAnswers();
  }

  #take(send: Send): string | undefined {
    const names = [...send.resources.map(({ name }) => name), ...send.removed];
    if (new Set(names).size !== names.length) this.violations.push(`${send.nonce} names a resource twice`);
    const bad = send.resources.filter(({ version }) => version.startsWith("bad"));
    const held = this.#of(send.typeUrl);
    const partial = !WILDCARD.has(send.typeUrl) && bad.length > 0;
    for (const resource of send.resources) {
      // A refused endpoint set ends the wait for it, too: a server must be able to start with a bad one.
      if (send.typeUrl === ENDPOINT_TYPE && bad.length > 0) this.#warming.delete(resource.name);
      if (bad.includes(resource) || (partial && this.#random() < 0.5)) continue;
      if (!WILDCARD.has(send.typeUrl) && !held.names.includes(resource.name)) continue;
      this.#apply(send.typeUrl, resource);
      if (bad.length === 0) held.presented.set(resource.name, resource.version);
    }
    const listed = new Set(names);
    const gone =
      this.variant === "delta"
        ? send.removed
        : [...held.resources.keys()].filter((name) => WILDCARD.has(send.typeUrl) && !listed.has(name));
    for (const name of gone) this.#remove(send.typeUrl, name);
    return bad.length > 0 ? "bad" : undefined;
  }

  #apply(typeUrl: string, resource: Resource): void {
    const { resources } = this.#of(typeUrl);
    const before = resources.get(resource.name);
    resources.set(resource.name, resource);
    if (typeUrl === ENDPOINT_TYPE) {
      this.#warming.delete(resource.name);
      this.live.add(resource.name);
    }
    if (typeUrl === CLUSTER_TYPE && before?.hash !== resource.hash) {
      for (const reference of resource.references) this.#warming.add(reference.name);
    }
  }

  #remove(typeUrl: string, name: string): void {
    if (typeUrl === ENDPOINT_TYPE && this.#wantedNames(ENDPOINT_TYPE).includes(name)) {
      this.violations.push(`endpoints of ${name} removed while a cluster uses them`);
    }
    const held = this.#of(typeUrl);
    if (typeUrl === CLUSTER_TYPE) {
      this.live.delete(name);
      for (const reference of held.resources.get(name)?.references ?? []) this.#warming.delete(reference.name);
    }
    held.resources.delete(name);
    held.presented.delete(name);
  }

  #judge(send: Send, error: string | undefined): void {
    const held = this.#of(send.typeUrl);
    if (!error) held.acceptedVersion = send.version;
    this.#send(send.typeUrl, { nonce: send.nonce, ...(error !== undefined && { error }) });
  }

  /** Delta sends one answer per response; SotW one for the newest, with the error of any (xds R27). */
  #releaseAnswers(): void {
    const answers = this.#withheld.splice(0);
    if (this.variant === "delta") {
      for (const { send, error } of answers) this.#judge(send, error);
      return;
    }
    const newest = answers.at(-1);
    if (!newest) return;
    for (const { send, error } of answers) if (!error) this.#of(send.typeUrl).acceptedVersion = send.version;
    const error = answers.find((answer) => answer.error !== undefined)?.error;
    this.#send(newest.send.typeUrl, { nonce: newest.send.nonce, ...(error !== undefined && { error }) });
  }

  /** Follows references: endpoints of the clusters it has, routes of its listeners. */
  #resubscribe(): void {
    for (const typeUrl of [ENDPOINT_TYPE, ROUTE_TYPE]) {
      const held = this.#of(typeUrl);
      const wanted = this.#wantedNames(typeUrl);
      const added = wanted.filter((name) => !held.names.includes(name));
      const removed = held.names.filter((name) => !wanted.includes(name));
      if (added.length === 0 && removed.length === 0) continue;
      held.names = wanted;
      for (const name of removed) {
        held.resources.delete(name);
        held.presented.delete(name);
      }
      if (held.requested) this.#send(typeUrl, { added, removed });
      else this.#first(typeUrl);
    }
    if (!this.#of(CLUSTER_TYPE).requested && this.#warming.size === 0) this.#first(CLUSTER_TYPE);
    if (this.variant === "sotw" && this.#warming.size > 0 && this.#random() < 0.5) this.#send(ENDPOINT_TYPE, {});
  }

  #wantedNames(typeUrl: string): string[] {
    const parent = typeUrl === ENDPOINT_TYPE ? CLUSTER_TYPE : LISTENER_TYPE;
    if (WILDCARD.has(typeUrl)) return [];
    const references = [...this.#of(parent).resources.values()].flatMap((resource) => resource.references);
    return [...new Set(references.filter((each) => each.typeUrl === typeUrl).map(({ name }) => name))].toSorted();
  }

  #first(typeUrl: string): void {
    const held = this.#of(typeUrl);
    held.requested = true;
    const common = { typeUrl, nonce: "", error: undefined };
    if (this.variant === "sotw") {
      const request = { ...common, names: held.names, versionInfo: held.acceptedVersion };
      this.outbox.push({ variant: "sotw", request });
      return;
    }
    const kept = [...held.presented].filter(([name]) => WILDCARD.has(typeUrl) || held.names.includes(name));
    const request = { ...common, subscribe: held.names, unsubscribe: [], initialVersions: new Map(kept) };
    this.outbox.push({ variant: "delta", request });
  }

  #send(typeUrl: string, content: { nonce?: string; error?: string; added?: string[]; removed?: string[] }): void {
    const held = this.#of(typeUrl);
    const error = content.error === undefined ? undefined : { code: 13, message: content.error };
    if (this.variant === "sotw") {
      const nonce = content.nonce ?? held.nonce;
      const request = { typeUrl, nonce, error, names: held.names, versionInfo: held.acceptedVersion };
      this.outbox.push({ variant: "sotw", request });
      return;
    }
    const { nonce = "", added = [], removed = [] } = content;
    const request = { typeUrl, nonce, error, subscribe: added, unsubscribe: removed, initialVersions: new Map() };
    this.outbox.push({ variant: "delta", request });
  }

  #of(typeUrl: string): Held {
    const held = this.#types.get(typeUrl);
    if (!held) throw new Error(`no such type here: ${typeUrl}`);
    return held;
  }
}
