import type { Registry } from "prom-client";
import { instrumentsOf } from "../runtime/instruments.ts";
import { REFUSED_REASONS } from "../store/peers.ts";
import type { OpenedNatsStore } from "./open-nats-store.ts";

/** Shows the state of this replica's mirror, and what it heard from others; both are read at each scrape. */
export function countMirror(
  registry: Registry,
  { mirrorStatus, peers }: Pick<OpenedNatsStore, "mirrorStatus" | "peers">,
): void {
  const { gauge, total } = instrumentsOf(registry);
  gauge("fairlead_store_mirror_lag", "Messages of the bucket that had not been read when the last one arrived.", () => {
    return mirrorStatus().lag;
  });
  gauge("fairlead_store_mirror_age_seconds", "Since the last message from the bucket.", () => {
    return mirrorStatus().silentMs / 1000;
  });
  total("fairlead_store_mirror_reopens_total", "How often the feed of the bucket was reopened.", () => {
    return mirrorStatus().reopens;
  });
  total("fairlead_store_mirror_repairs_total", "Keys that a full comparison found to differ from the bucket.", () => {
    return mirrorStatus().repairs;
  });
  total(
    "fairlead_peer_messages_refused_total",
    "Messages on the subjects of the replicas that were refused, by reason.",
    () => {
      const counts = new Map(peers.refused().map(({ reason, count }) => [reason, count]));
      return REFUSED_REASONS.map((reason) => [{ reason }, counts.get(reason) ?? 0] as const);
    },
    "reason",
  );
}
