import type { InstrumentedMachine } from "../runtime/machine.ts";
import { openSqliteFile } from "../store/sqlite-file.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { Config } from "./config.ts";

/**
 * Opens the store that the configuration names. All other code knows only the ports.
 *
 * @param isForReplacement Everything in it will be replaced, so what cannot be found in it does not matter.
 * @throws ControlPlaneError when the store refuses; the message says what was found and what is needed.
 */
export async function openStore(
  { store, replica }: Pick<Config, "store" | "replica">,
  { clock, random, log, registry, containment }: InstrumentedMachine,
  { isForReplacement = false } = {},
): Promise<Store> {
  if (store.kind === "embedded") {
    const file = openSqliteFile(store.directory);
    if (file.isNew) log.warn({ path: file.path }, "no state was found, so an empty one is created");
    return openSqliteStore(file, clock);
  }
  // Loaded here, so a plane without NATS starts faster.
  const [{ openNatsStore }, { natsSecurity }, { countMirror }] = await Promise.all([
    import("../nats/open-nats-store.ts"),
    import("../nats/security.ts"),
    import("../nats/store-metrics.ts"),
  ]);
  const { servers, bucket, copies, login, tls } = store;
  const opened = await openNatsStore({
    servers,
    security: natsSecurity(login, tls),
    bucket,
    replicas: copies,
    replica,
    clock,
    random,
    logger: log,
    containment,
    isForReplacement,
  });
  countMirror(registry, opened);
  return opened;
}
