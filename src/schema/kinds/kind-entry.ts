import type { Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import type { Kind } from "../../domain/name.ts";
import type { ObjectOf, Writes } from "../../domain/state.ts";
import type { Meta } from "../../gen/fairlead/admin/v1/meta_pb.ts";
import type { Report } from "../field-checks.ts";

/** What every object is in the API. */
export type ObjectMessage = Message & { meta?: Meta | undefined };

/** What a write brings along for what only the plane decides. */
export interface Settling {
  /** Milliseconds since the epoch; for display and for breaking ties by age. */
  readonly now: number;
  /** What a new fleet is given that names no networks; none by default. */
  readonly networksForNewFleets?: readonly string[];
}

/** What proxies have from an object, as far as the name alone tells. */
export type Gives =
  /** Its service's cluster, endpoints, and the routes that lead to it. */
  | "cluster"
  /** Of its service. */
  | "endpoints"
  /** The clusters whose policy it is. */
  | "clustersOfPolicy"
  | "listener"
  /** Some routes, on whichever listener. */
  | "routes"
  /** All that the proxies of the fleet have. */
  | "all of a fleet"
  | "nothing";

/** All that the plane has to know of a kind of object, beside its name, its noun and what it refers to. */
export interface KindEntry<
  K extends Kind,
  M extends ObjectMessage,
  Plural extends string,
  IsApplied extends boolean,
  HasHistory extends boolean,
> {
  readonly kind: K;
  readonly plural: Plural;
  readonly message: GenMessage<M>;
  /** Fields that a client cannot write. What it sends there is ignored. */
  readonly outputOnly: readonly Exclude<keyof M & string, keyof Message>[];
  /** Reads the domain's object, and brings names and addresses of the message to their one spelling, in place. */
  readonly parse: (message: M, report: Report) => ObjectOf[K];
  /** People write it, by itself or in manifests. What is not comes from a source, again and again: an observation. */
  readonly isApplied: IsApplied;
  /** Its earlier generations are kept. */
  readonly hasHistory: HasHistory;
  /** What proxies have from it: that is kept back while it cannot be read. */
  readonly gives: Gives;
  /** It decides which fleets are led to which services. */
  readonly isOnTheWay: boolean;
  /** Nobody removes by accident the last one that refers to the same object of this kind. */
  readonly lastOf?: Kind;
  /**
   * Fills in what only the plane writes, before the limits are checked.
   *
   * @param named Fields that the client named, whether or not it gave them a value.
   */
  readonly settle?: (draft: M, before: M | undefined, settling: Settling, named: readonly string[]) => void;
  /** The same for an import, which may say it. */
  readonly settleImported?: (given: M, before: M | undefined, settling: Settling) => void;
  /** Of an observation: an import decides whether it is there, and not what is known here. */
  readonly isImported?: (object: ObjectOf[K]) => boolean;
  /** Refuses writes that the state forbids. */
  readonly check?: (writes: Writes<K>) => void;
}

/** Checks an entry as a whole, and keeps what it says as types. */
export function kindEntry<
  const K extends Kind,
  M extends ObjectMessage,
  const Plural extends string,
  const IsApplied extends boolean,
  const HasHistory extends boolean,
>(entry: KindEntry<K, M, Plural, IsApplied, HasHistory>): KindEntry<K, M, Plural, IsApplied, HasHistory> {
  return entry;
}
