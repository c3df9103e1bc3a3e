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
import { Pace } from "../runtime/pace.ts";
import { processId } from "../runtime/process-id.ts";
import { PRODUCT_VERSION } from "../runtime/product-version.ts";
import { PEER_SILENCE_MS, type Peers } from "../store/peers.ts";
import { type Config, listensOnLoopbackOnly } from "./config.ts";
import type { Machine } from "./machine.ts";
import { openStore } from "./open-store.ts";

const STOP_GRACE_MS = 1_000;

/**
 * Opens a store that no plane uses, whatever it holds, and serves the admin API on a loopback port: only the parts of a plane
 * that import and restore need.
 *
 * @throws ControlPlaneError `precondition` / `STORE_IN_USE` while a plane serves from it; and what `openStore` throws.
 */
export async function serveStore(config: Config, machine: Pick<Machine, "clock" | "random" | "log">) {
  const { clock, random, log } = machine;
  const replica = `direct-${hostname()}-${processId}`;
  const registry = new Registry();
  const containment = new Containment({ clock, log, registry });
  const opened = await openStore({ ...config, replica }, machine, { registry, containment, isForReplacement: true });
  const stopped = new AbortController();
  try {
    if (config.store.kind === "nats") await refuseServed(opened.peers, machine);
    const mirror = new Mirror();
    const { failed } = follow(opened.state, [mirror], { signal: stopped.signal, log });
    failed.catch(() => undefined);
    await Promise.race([mirror.reach({ epoch: 0, position: 0 }), failed]);
    const admin = createAdminServer({
      context: {
        store: opened.state,
        journal: opened.journal,
        archive: opened.archive,
        mirror,
        nodes: NO_NODES,
        peers: opened.peers,
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
    const server = await admin.listen("127.0.0.1:0", ServerCredentials.createInsecure());
    const stop = async () => {
      await admin.stop(STOP_GRACE_MS);
      stopped.abort();
      await opened.state.close();
    };
    return { server, stop };
  } catch (thrown) {
    stopped.abort();
    await opened.state.close();
    throw thrown;
  }
}

/** Planes announce their position ten times a second, so one that runs is heard within the silence limit. */
async function refuseServed(peers: Pick<Peers, "list">, { clock }: Pick<Machine, "clock">): Promise<void> {
  await clock.sleep(PEER_SILENCE_MS);
  const live = peers.list().filter(({ status }) => status === "live");
  if (live.length === 0) return;
  const names = live.map(({ replica }) => printable(replica)).join(", ");
  throw new ControlPlaneError({
    kind: "precondition",
    code: "STORE_IN_USE",
    message: `${names} serve from this bucket; stop them, or use --server with one of them`,
  });
}

const NO_NODES: NodeDirectory = {
  nodes: async () => ({ told: [], unknown: [] }),
  progress: async () => ({ progress: new Map(), settledAfterMs: undefined }),
  refusals: async () => ({ told: [], unknown: [] }),
  resend: async () => ({ told: undefined, unknown: [] }),
  onChange: () => () => undefined,
};
