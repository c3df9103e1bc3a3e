import type { Clock } from "../../runtime/clock.ts";
import type { Containment } from "../../runtime/containment.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { Random } from "../../runtime/random.ts";
import type { ResourceKey } from "../protocol/resource.ts";
import type { ResourceType } from "../protocol/resource-types.ts";
import type { ServedClient } from "./client-status.ts";
import type { RefusingLimit, XdsLimits } from "./limits.ts";
import type { NodeIdentity } from "./node-identity.ts";
import type { Peer } from "./peer.ts";
import type { RefusalMemory } from "./refusal-memory.ts";
import type { ResourceCache } from "./resource-cache.ts";

/** Where a stream belongs: to a group of the cache, nowhere for a reason, or refused before its first byte. */
export type Placement = { readonly group: string } | { readonly silent: string } | { readonly refuse: string };

export type XdsServerOptions = {
  readonly cache: ResourceCache;
  /** Decides where a stream belongs, from what the client says about itself and its certificate. A string is a group. */
  readonly groupOf: (node: NodeIdentity, peer: Peer) => Placement | string;
  /** A reason to accept no new stream just now: its client is told `UNAVAILABLE`, and comes back here or elsewhere. */
  readonly admit?: () => string | undefined;
  /**
   * A reason to keep a resource back from a client, requested for everything due; `version` is empty for a removal.
   * What is held stays held until its content changes or `recheckHolds` is called.
   */
  readonly hold?: (client: ServedClient, resource: ResourceKey, version: string) => string | undefined;
  /**
   * Whether a client that speaks delta is told of every removal, and of every name that does not exist, as the protocol has
   * it. The others are treated as Envoy has to be: they keep endpoints, secrets, routes and extensions that are gone, and the
   * endpoints of a cluster are told to be empty, never removed (xds R7, R8, R28). Asked once for each stream, and must depend
   * on nothing but the node. Default: true unless `mayBeEnvoy(node)`.
   */
  readonly tellsRemovals?: (node: NodeIdentity) => boolean;
  /**
   * Awaited before a stream's first answer. While it rejects, clients are sent only what cannot take them back, since
   * they hold nothing of it; the rest is held as `store_unreachable` until `recheckHolds`.
   */
  readonly fence?: (signal: AbortSignal) => Promise<void>;
  /** Default: in memory. */
  readonly refusals?: RefusalMemory;
  /** The server's identifier, for `control_plane.identifier` and `system_version_info`. */
  readonly identifier?: () => string;
  /** Serves the client status service (CSDS) to peers for which it returns true; without it, there is no such service. */
  readonly clientStatus?: (peer: Peer) => boolean;
  /** Types in addition to the built-in ones; they come last in order. */
  readonly types?: readonly ResourceType[];
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  readonly limits?: Partial<XdsLimits>;
  /** Called for each stream that was ended, and each connection that was refused, because of a limit. */
  readonly onLimit?: (limit: RefusingLimit) => void;
  /** Contains faults that one client's input causes. Default: they are logged. */
  readonly containment?: Containment;
};
