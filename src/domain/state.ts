import type { Backend } from "./backend.ts";
import type { NetworksFilled, PlaneAddress, PlaneRecord } from "./backend-networks.ts";
import type { Fleet } from "./fleet.ts";
import type { Health } from "./health.ts";
import type { LedsRecord } from "./leds-record.ts";
import type { Listener } from "./listener.ts";
import type { Kind, Name } from "./name.ts";
import type { Policy } from "./policy.ts";
import type { PresencePart } from "./presence.ts";
import type { Route } from "./route.ts";
import type { Service } from "./service.ts";

export interface ObjectOf {
  service: Service;
  policy: Policy;
  backend: Backend;
  health: Health;
  listener: Listener;
  route: Route;
  fleet: Fleet;
}

/** What is stored besides the objects, each kind written by one duty or for one purpose. */
export interface RecordOf {
  /** How resources are encoded: see `encodingProfile`. */
  profile: number;
  leds: LedsRecord;
  plane: PlaneRecord;
  presence: PresencePart;
  networks: NetworksFilled;
}
export type RecordKind = keyof RecordOf;

/**
 * The state at one revision, as derivation reads it. Small on purpose: a plan, a rollout or a replay is an overlay on it.
 * Results are in no stated order; a reader that needs one sorts them.
 */
export interface State {
  get<K extends Kind>(kind: K, name: Name): ObjectOf[K] | undefined;
  all<K extends Kind>(kind: K): Iterable<ObjectOf[K]>;
  /** The objects of a kind that refer to a name, whether something has that name or not. A service refers to its policy. */
  referring<K extends Kind>(kind: K, to: Kind, name: Name): Iterable<ObjectOf[K]>;
  backendsOf(service: Name): Iterable<Backend>;
  healthOf(backend: Name): Iterable<Health>;
  /** @param name Undefined for a kind that has only one record. */
  record<K extends RecordKind>(kind: K, name?: Name): RecordOf[K] | undefined;
  /** Where planes listen, by their records; the same list until one of the addresses changes. */
  readonly planeAddresses: readonly PlaneAddress[];
}

/** Objects of a kind that are written together. */
export interface Writes<K extends Kind> {
  readonly before: State;
  readonly after: State;
  /** What stands before a field's path in errors: `objects[3].`. */
  readonly puts: readonly { readonly object: ObjectOf[K]; readonly place: string }[];
}
