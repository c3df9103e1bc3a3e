import type { Registry } from "prom-client";
import type { Containment } from "../runtime/containment.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { Config } from "./config.ts";
import type { Machine } from "./machine.ts";

/**
 * Opens the store that the configuration names. Everything else knows only the ports.
 *
 * @throws ControlPlaneError what the store refuses, in words that say what was found and what is needed.
 */
export async function openStore(
  config: Config,
  machine: Machine,
  { registry, containment }: { readonly registry: Registry; readonly containment: Containment },
): Promise<Store> {
  const { store, replica } = config;
  const { clock, random, log: logger } = machine;
  if (store.kind === "embedded") return await openSqliteStore({ directory: store.directory, clock });
  // Loaded here, so that a plane without it starts faster.
  const [{ openNatsStore }, { natsSecurity }, { countStore }] = await Promise.all([
    import("../nats/open-nats-store.ts"),
    import("../nats/security.ts"),
    import("../nats/store-metrics.ts"),
  ]);
  const { servers, bucket, copies, login, tls } = store;
  const security = natsSecurity(login, tls);
  const opened = await openNatsStore({
    servers,
    security,
    bucket,
    replicas: copies,
    replica,
    clock,
    random,
    logger,
    containment,
  });
  countStore(registry, opened);
  return opened;
}
