import { Registry } from "prom-client";
import { requestDigest } from "../../src/api/request-digest.ts";
import { follow } from "../../src/control/follow.ts";
import { Mirror } from "../../src/control/mirror.ts";
import { ENCODING_PROFILES } from "../../src/domain/encoding-profile.ts";
import type { Caller, Context } from "../../src/operations/context.ts";
import { CurrentConditions } from "../../src/operations/observing/current-conditions.ts";
import { Onsets } from "../../src/operations/observing/onsets.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { Containment } from "../../src/runtime/containment.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { Pace } from "../../src/runtime/pace.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { noPeers } from "../../src/store/peers.ts";
import { openMemoryStore } from "./embedded-store.ts";
import { FakeNodeDirectory } from "./fake-node-directory.ts";

/** What the operations work with, on a store in memory and a mirror that follows it. */
export interface PlaneContext extends Context {
  readonly nodes: FakeNodeDirectory;
  close(): Promise<void>;
}

export async function openPlaneContext(): Promise<PlaneContext> {
  const { state: store, journal, archive, status: storeStatus } = await openMemoryStore({ clock: systemClock });
  const mirror = new Mirror();
  const stop = new AbortController();
  void follow(store, [mirror], { signal: stop.signal, log: silentLogger });
  await mirror.reach({ epoch: 0, position: 0 });
  return {
    store,
    journal,
    archive,
    mirror,
    conditions: new CurrentConditions(mirror),
    nodes: new FakeNodeDirectory(),
    peers: noPeers,
    onsets: new Onsets(),
    standing: () => [],
    clock: systemClock,
    pace: new Pace(systemClock),
    random: systemRandom,
    plane: { version: "0.0.0-test", replica: "plane-test", profiles: ENCODING_PROFILES, networksForNewFleets: [] },
    storeStatus,
    close: async () => {
      stop.abort();
      await store.close();
    },
  };
}

/** Somebody who asks for one thing and does not go away. */
export function callerFor(actor: string, content: object = {}): Caller {
  return { actor, signal: new AbortController().signal, requestDigest: () => requestDigest("test", content) };
}

export const TESTER: Caller = callerFor("test:alice");

/** Where failures of a test's inputs end that nobody foresaw. */
export function testContainment(): Containment {
  return new Containment({ clock: systemClock, log: silentLogger, registry: new Registry() });
}
