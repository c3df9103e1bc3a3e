import type { Revision } from "../../store/revision.ts";
import type { Context } from "../context.ts";

/** A process of the plane, as this replica sees it. */
export interface ReplicaState {
  readonly name: string;
  readonly live: boolean;
  readonly revision: Revision;
  /** Milliseconds since it was last heard from; undefined for a live one. */
  readonly silentMs: number | undefined;
  /** Why it holds everything back. */
  readonly held: string | undefined;
  /** The encoding profiles that it supports. */
  readonly profiles: readonly number[];
}

/** All replicas that share the store, by name. */
export function replicasOf({ plane, mirror, peers, clock }: Context): readonly ReplicaState[] {
  const own = {
    name: plane.replica,
    live: true,
    revision: mirror.revision,
    silentMs: undefined,
    held: undefined,
    profiles: plane.profiles,
  };
  const others = peers.list().map(({ replica, status, position, heardAt }) => ({
    name: replica,
    live: status === "live",
    revision: position.revision,
    silentMs: status === "live" ? undefined : clock.monotonic() - heardAt,
    held: position.held,
    profiles: position.profiles ?? [],
  }));
  return [own, ...others].sort((a, b) => (a.name < b.name ? -1 : 1));
}
