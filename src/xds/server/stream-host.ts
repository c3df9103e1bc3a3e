import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { Random } from "../../runtime/random.ts";
import type { Report, Send } from "../protocol/events.ts";
import type { ResourceKey, View } from "../protocol/resource.ts";
import type { Registry } from "../protocol/resource-types.ts";
import type { SharedTables } from "../protocol/shared-tables.ts";
import type { TypeReadings } from "../protocol/type-state.ts";
import type { ServedClient } from "./client-status.ts";
import type { Deadlines, Expiring } from "./deadlines.ts";
import type { ResponseEncoder } from "./encode-response.ts";
import type { HeldBytes } from "./held-bytes.ts";
import type { LimitMet } from "./limit-met.ts";
import type { XdsLimits } from "./limits.ts";
import type { LostVerdictMemory } from "./lost-verdict-memory.ts";
import type { NodeIdentity } from "./node-identity.ts";
import type { Peer } from "./peer.ts";
import type { ReadContext } from "./read-request.ts";
import type { RefusalMemory } from "./refusal-memory.ts";
import type { TransportOf } from "./stream-transport.ts";

/** Where a stream belongs: to a group of the cache, nowhere for a reason, or refused before its first byte. */
export type Placement = { readonly group: string } | { readonly silent: string } | { readonly refuse: string };

/** What all streams of a server share. */
export interface StreamHost<Driver> {
  readonly registry: Registry;
  readonly limits: XdsLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly refusals: RefusalMemory;
  readonly lostVerdicts: LostVerdictMemory;
  readonly encoder: ResponseEncoder;
  /** The prefix of the nonces that its streams share. */
  readonly nonceTag: string;
  readonly tables: SharedTables;
  readonly reading: ReadContext;
  readonly transportOf: TransportOf;
  readonly held: HeldBytes;
  readonly deadlines: Deadlines<Expiring>;
  place(node: NodeIdentity, peer: Peer): Placement;
  /** Why no new stream is accepted just now, or undefined. */
  unavailable(): string | undefined;
  view(group: string): View | undefined;
  hold(client: ServedClient, resource: ResourceKey, version: string): string | undefined;
  fence(signal: AbortSignal): Promise<void>;
  identifier(): string;
  opened(driver: Driver): void;
  /** Called with what the driver knew of its client. */
  closed(driver: Driver, states: TypeReadings): void;
  moved(driver: Driver, from: string | undefined): void;
  isDuplicate(driver: Driver): boolean;
  /** Called when something may be ready to send: flushes soon. */
  wake(driver: Driver): void;
  sent(driver: Driver, send: Send, bytes: number): void;
  report(driver: Driver, report: Report): void;
  /** Called before a driver ends, because its client met a limit or (`failed`) because of something unexpected. */
  limitMet(driver: Driver, limit: LimitMet): void;
  failed(driver: Driver, thrown: unknown): void;
}
