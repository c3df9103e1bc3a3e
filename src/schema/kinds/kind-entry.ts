import type { Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import type { Kind } from "../../domain/name.ts";
import type { ObjectOf, Writes } from "../../domain/state.ts";
import type { MessageFacts } from "../facts.ts";
import type { Report } from "../field-checks.ts";

/** What a write provides for the fields that only the plane decides. */
export interface Settling {
  /** Milliseconds since the epoch; for display and for breaking ties by age. */
  readonly now: number;
  /** What a new fleet that names no networks is given; none by default. */
  readonly networksForNewFleets?: readonly string[];
}

/** What proxies get from an object, as far as its name alone tells. */
export type Gives =
  /** Its service's cluster, endpoints, and the routes that lead to it. */
  | "cluster"
  /** Those of its service. */
  | "endpoints"
  /** The clusters whose policy it is. */
  | "clustersOfPolicy"
  | "listener"
  /** Some routes, on whichever listener. */
  | "routes"
  /** All that the proxies of the fleet get. */
  | "all of a fleet"
  | "nothing";

/** All that the plane has to know about a kind of object, besides its name, its noun and what it refers to. */
export interface KindEntry<K extends Kind, M extends Message> {
  readonly message: GenMessage<M>;
  /** What is true of the fields of its message, and of the messages in it: checked before it is parsed. */
  readonly facts: readonly MessageFacts[];
  /** Fields that a client cannot write. What it sends there is ignored. */
  readonly outputOnly: readonly Exclude<keyof M & string, keyof Message>[];
  /** Reads the domain's object, and reports fields that contradict each other. */
  readonly parse: (message: M, report: Report) => ObjectOf[K];
  /** People write it, by itself or in manifests. Any other kind is an observation: it comes from a source, again and again. */
  readonly isApplied: boolean;
  /** Its earlier generations are kept. */
  readonly hasHistory: boolean;
  /** What proxies get from it, which is held back while it cannot be read. */
  readonly gives: Gives;
  /** The last one that refers to the same object of this kind is guarded against accidental removal. */
  readonly lastOf?: Kind;
  /**
   * Fills in what only the plane writes, before the limits are checked.
   *
   * @param named Fields that the client named, whether or not it gave them a value.
   */
  readonly settle?: (draft: M, before: M | undefined, settling: Settling, named: readonly string[]) => void;
  /** The same for an import, which may give these fields itself. */
  readonly settleImported?: (given: M, before: M | undefined, settling: Settling) => void;
  /** For an observation: whether an import, rather than what is known here, decides if it exists. */
  readonly isImported?: (object: ObjectOf[K]) => boolean;
  /** Refuses writes that the state forbids. */
  readonly check?: (writes: Writes<K>) => void;
}
