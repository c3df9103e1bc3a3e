import { JetStreamApiError, type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { ControlPlaneError } from "../domain/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import { storeFailure } from "./failure.ts";

const API_TIMEOUT_MS = 3_000;
const START_PATIENCE_MS = 10_000;
const START_PAUSE_MS = 200;
const NOT_ENABLED_FOR_ACCOUNT = 10_039;

/** A cluster that has just been started, or has lost a server, needs a moment before it answers. */
export async function patiently<T>(clock: Clock, run: () => Promise<T>): Promise<T> {
  const until = clock.monotonic() + START_PATIENCE_MS;
  for (;;) {
    try {
      return await run();
    } catch (error) {
      const isTemporary = error instanceof ControlPlaneError && error.kind === "unavailable";
      if (!isTemporary || clock.monotonic() > until) throw error;
      await clock.sleep(START_PAUSE_MS);
    }
  }
}

/** @throws ControlPlaneError `precondition` / `NATS_WITHOUT_JETSTREAM`, `NATS_PERMISSION_MISSING`. */
export async function openManager(connection: NatsConnection): Promise<JetStreamManager> {
  try {
    return await jetstreamManager(connection, { timeout: API_TIMEOUT_MS });
  } catch (error) {
    const failure = storeFailure(error, "cannot use JetStream");
    const isMissing = error instanceof JetStreamApiError && error.code === NOT_ENABLED_FOR_ACCOUNT;
    const isOff = error instanceof Error && error.name === "JetStreamNotEnabled";
    if (!isMissing && !isOff) throw failure;
    throw new ControlPlaneError({
      kind: "precondition",
      code: "NATS_WITHOUT_JETSTREAM",
      message: `${connection.getServer()} offers no JetStream to this account: ${failure.message}`,
      cause: error,
    });
  }
}
