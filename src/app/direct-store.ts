import { hostname } from "node:os";
import { ServerCredentials } from "@grpc/grpc-js";
import { Registry } from "prom-client";
import { createAdminServer } from "../admin/admin-server.ts";
import { follow } from "../control/follow.ts";
import { Mirror } from "../control/mirror.ts";
import { ENCODING_PROFILES } from "../domain/encoding-profile.ts";
import { ControlPlaneError } from "../domain/errors.ts";
import { printable } from "../domain/printable.ts";
import type { NodeDirectory } from "../fleet/node-directory.ts";
import { networksForNewFleetsOf } from "../operations/objects/fill-networks.ts";
import { CurrentConditions } from "../operations/observing/current-conditions.ts";
import { Onsets } from "../operations/observing/onsets.ts";
import { Containment } from "../runtime/containment.ts";
import type { Machine } from "../runtime/machine.ts";
import { Pace } from "../runtime/pace.ts";
import { processId } from "../runtime/process-id.ts";
import { PRODUCT_VERSION } from "../runtime/product-version.ts";
import { PEER_SILENCE_MS, type Peers } from "../store/peers.ts";
import { listensOnLoopbackOnly } from "./address.ts";
import type { Config } from "./config.ts";
import { openStore } from "./open-store.ts";
import { StopSequence } from "./stop-sequence.ts";

const STOP_GRACE_MS = 1_000;

/**
 * Opens a store that no plane uses, whatever it holds, and serves the admin API on a loopback port: only the parts of a plane
 * that import and restore need.
 *
 * @throws ControlPlaneError `precondition` / `STORE_IN_USE` while a plane serves from it; and what `openStore` throws.
 */
export async function serveStore(config: Config, machine: Machine) {
  const { clock, random, log } = machine;
  const stops = new StopSequence(machine);
  const stop = async () => void (await stops.run(STOP_GRACE_MS));
  try {
    const replica = `direct-${hostname()}-${processId}`;
    const registry = new Registry();
    const containment = new Containment({ clock, log, registry });
    const instrumented = { ...machine, registry, containment };
    const opened = await openStore({ ...config, replica }, instrumented, { isForReplacement: true });
    const { state: store, journal, archive, peers } = opened;
    stops.add("store", () => store.close());
    if (config.store.kind === "nats") await refuseServed(peers, machine);
    const mirror = new Mirror();
    const reading = new AbortController();
    const { failed } = follow(store, [mirror], { signal: reading.signal, log });
    failed.catch(() => undefined);
    stops.add("reading of the store", () => reading.abort());
    await Promise.race([mirror.reach({ epoch: 0, position: 0 }), failed]);
    const admin = createAdminServer({
      context: {
        store,
        journal,
        archive,
        mirror,
        nodes: NO_NODES,
        peers,
        conditions: new CurrentConditions(mirror),
        onsets: new Onsets(),
        clock,
        pace: new Pace(clock),
        random,
        plane: {
          version: PRODUCT_VERSION,
          replica,
          profiles: ENCODING_PROFILES,
          networksForNewFleets: networksForNewFleetsOf(listensOnLoopbackOnly(config)),
        },
        storeStatus: opened.status,
        standing: () => [],
      },
      logger: log,
      notReady: () => undefined,
      containment,
    });
    stops.add("admin calls", (graceMs) => admin.stop(graceMs));
    return { server: await admin.listen("127.0.0.1:0", ServerCredentials.createInsecure()), stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** Planes announce their position ten times a second, so one that runs is heard within the silence limit. */
async function refuseServed(peers: Pick<Peers, "list">, { clock }: Machine): Promise<void> {
  await clock.sleep(PEER_SILENCE_MS);
  const live = peers.list().filter(({ status }) => status === "live");
  if (live.length === 0) return;
  const names = live.map(({ replica }) => printable(replica)).join(", ");
  throw new ControlPlaneError({
    kind: "precondition",
    code: "STORE_IN_USE",
    message: `this bucket is in use by ${names}; stop these planes, or send the command to one of them with --server`,
  });
}

const NO_NODES: NodeDirectory = {
  nodes: async () => ({ told: [], unknown: [] }),
  progress: async () => ({ progress: new Map(), settledAfterMs: undefined }),
  refusals: async () => ({ told: [], unknown: [] }),
  resend: async () => ({ told: undefined, unknown: [] }),
  forget: async () => undefined,
  onChange: () => () => undefined,
};
