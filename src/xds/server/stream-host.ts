import type { EventEmitter } from "node:events";
import { Registry } from "prom-client";
import { systemClock } from "../../runtime/clock.ts";
import { Containment } from "../../runtime/containment.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { systemRandom } from "../../runtime/random.ts";
import { createRegistry, createTellingRegistry } from "../protocol/resource-types.ts";
import { SharedTables } from "../protocol/shared-tables.ts";
import { Deadlines, type Expiring } from "./deadlines.ts";
import { ResponseEncoder } from "./encode-response.ts";
import { HeldBytes } from "./held-bytes.ts";
import { DEFAULT_LIMITS, type XdsLimits } from "./limits.ts";
import { LostAnswerMemory } from "./lost-answer-memory.ts";
import { mayBeEnvoy, type NodeIdentity } from "./node-identity.ts";
import { readContext } from "./read-request.ts";
import { LocalRefusalMemory } from "./refusal-memory.ts";
import type { XdsServerEvents } from "./server-events.ts";
import type { XdsServerOptions } from "./server-options.ts";
import { publicTransport } from "./stream-transport.ts";

export type StreamHost = ReturnType<typeof createStreamHost>;

/** What all calls of a server share: its options, with their defaults, and what is kept once for all of them. */
export function createStreamHost(options: XdsServerOptions, events: EventEmitter<XdsServerEvents>) {
  const { cache, clock = systemClock, random = systemRandom, onLimit = () => undefined } = options;
  const limits: XdsLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const log = (options.log ?? silentLogger).child({ component: "xds" });
  const tables = new SharedTables();
  return {
    cache,
    clock,
    random,
    log,
    limits,
    onLimit,
    events,
    containment: options.containment ?? new Containment({ clock, log, registry: new Registry() }),
    groupOf: options.groupOf,
    /** Why no new stream is accepted just now, or undefined. */
    admit: options.admit ?? (() => undefined),
    hold: options.hold ?? (() => undefined),
    fence: options.fence ?? (() => Promise.resolve()),
    identifier: options.identifier ?? (() => "fairlead"),
    registry: createRegistry(options.types),
    /** The same types, for the streams of those that `tellsRemovals` names. */
    tellingRegistry: createTellingRegistry(options.types),
    tellsRemovals: options.tellsRemovals ?? ((node: NodeIdentity) => !mayBeEnvoy(node)),
    refusals: options.refusals ?? new LocalRefusalMemory(),
    lostAnswers: new LostAnswerMemory(),
    encoder: new ResponseEncoder(clock),
    /** The prefix of the nonces that its streams share. */
    nonceTag: `${random.id().slice(0, 4)}-`,
    tables,
    reading: readContext(limits, tables),
    held: new HeldBytes(limits),
    deadlines: new Deadlines<Expiring>({ clock, ms: limits.requestMs, onExpired: () => onLimit("requestMs") }),
    transportOf: publicTransport,
  };
}
