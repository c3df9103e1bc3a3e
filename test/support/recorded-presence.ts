import type { Presence } from "../../src/domain/presence.ts";
import { PRESENCE } from "../../src/store/keys/presence-record.ts";
import type { PlaneContext } from "./plane-context.ts";

const KEY = PRESENCE.key("projects/default/fleets/edge/0");

/** A proxy of the fleet `edge`, as the duty of presence records one that is here. */
export function presenceOf(id: string, more: Partial<Presence> = {}): Presence {
  return {
    id,
    state: "here",
    since: 5_000,
    replica: "plane-b",
    cluster: "edge",
    client: "envoy",
    envoyVersion: "1.40.0",
    variant: "delta",
    region: "",
    zone: "",
    ...more,
  };
}

/** Makes these the record of the fleet `edge`. */
export async function recordPresence({ store, mirror }: PlaneContext, ...proxies: readonly Presence[]): Promise<void> {
  const { revision } = await store.commit({
    ops: [{ op: "put", key: KEY, value: PRESENCE.encode({ fleet: "edge", proxies }) }],
    cause: { actor: "duty:presence", operation: "-presence", reason: "", requestId: "" },
  });
  await mirror.reach(revision);
}
