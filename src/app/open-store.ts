import type { Registry } from "prom-client";
import type { Containment } from "../runtime/containment.ts";
import { openSqliteFile } from "../store/sqlite-file.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { Config } from "./config.ts";
import type { Machine } from "./machine.ts";

/**
 * Opens the store that the configuration names. All other code knows only the ports.
 *
 * @param isForReplacement Everything in it will be replaced, so what cannot be found in it does not matter.
 * @throws ControlPlaneError when the store refuses; the message says what was found and what is needed.
 */
export async function openStore(
  config: Pick<Config, "store" | "replica">,
  machine: Pick<Machine, "clock" | "random" | "log">,
  {
    registry,
    containment,
    isForReplacement = false,
  }: { readonly registry: Registry; readonly containment: Containment; readonly isForReplacement?: boolean },
): Promise<Store> {
  const { store, replica } = config;
  const { clock, random, log: logger } = machine;
  if (store.kind === "embedded") {
    const file = openSqliteFile(store.directory);
    if (file.isNew) logger.warn({ path: file.path }, "no state was found: an empty one is made");
    return openSqliteStore(file, clock);
  }
  // Loaded here, so a plane without NATS starts faster.
  const [{ openNatsStore }, { natsSecurity }, { countMirror }] = await Promise.all([
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
    isForReplacement,
  });
  countMirror(registry, opened);
  return opened;
}
