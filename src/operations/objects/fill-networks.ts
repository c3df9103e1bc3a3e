import { LOOPBACK_NETWORKS, ORDINARY_NETWORKS } from "../../domain/backend-networks.ts";
import { ControlPlaneError } from "../../domain/errors.ts";
import { fleetsByService } from "../../domain/fleet-backends.ts";
import { MAX_BACKEND_NETWORKS } from "../../domain/limits.ts";
import type { Name } from "../../domain/name.ts";
import type { State } from "../../domain/state.ts";
import type { Fleet as FleetMessage } from "../../gen/fairlead/admin/v1/fleet_pb.ts";
import { cloneMessage } from "../../schema/object-message.ts";
import { RECORDS } from "../../store/keys/records.ts";
import type { StoreOp } from "../../store/state-store.ts";
import type { Context } from "../context.ts";
import { planPut } from "../writing/plan-put.ts";
import type { StoredState } from "../writing/stored-state.ts";

/** The operation's name in the journal. */
export const FILL_NETWORKS = "fill-backend-networks";

const MARK = RECORDS.networks.key("");

/** The most fleets that one commit writes, well below what a batch may cost. */
const MAX_FLEETS = 100;

/** What a plane fills in for new fleets: a plane that listens on loopback only serves nothing but its own machine. */
export function networksForNewFleetsOf(listensOnLoopbackOnly: boolean): readonly string[] {
  return listensOnLoopbackOnly ? [...ORDINARY_NETWORKS, ...LOOPBACK_NETWORKS] : [];
}

/**
 * The writes by which a state from before fleets had networks goes on as it was: each fleet that names none is given the
 * Unix sockets that it leads to and, by a plane that listens on loopback only, the networks of new fleets. It is done once,
 * as the last batch records: an operator who empties the field later means it.
 *
 * @param networks What new fleets are given.
 */
export function planNetworks(
  state: StoredState,
  networks: readonly string[],
  now: number,
): readonly (readonly StoreOp[])[] {
  const filled = networks.length > 0 ? "loopback" : "sockets";
  const before = state.record("networks");
  if (before === filled || before === "loopback") return [];
  const pipes = before === undefined ? pipesByFleet(state) : new Map<Name, never>();
  const puts = [...state.all("fleet")]
    .filter(({ backendNetworks }) => backendNetworks.length === 0)
    .flatMap(({ name }): StoreOp[] => {
      const sockets = [...(pipes.get(name) ?? [])].toSorted();
      if (networks.length === 0 && sockets.length === 0) return [];
      const all = [...(networks.length > 0 ? networks : ORDINARY_NETWORKS), ...sockets];
      return fill(state, name, all.slice(0, MAX_BACKEND_NETWORKS), now);
    });
  const guard = before === undefined ? "absent" : "present";
  const mark: StoreOp = { op: "put", key: MARK, value: RECORDS.networks.encode(filled), guard };
  const full = Array.from({ length: Math.floor(puts.length / MAX_FLEETS) }, (_, i) =>
    puts.slice(i * MAX_FLEETS, (i + 1) * MAX_FLEETS),
  );
  return [...full, [...puts.slice(full.length * MAX_FLEETS), mark]];
}

const ATTEMPTS = 5;

/**
 * Fills the networks in when a plane starts, and writes only if a fleet needs it: otherwise a plane starts even if its store
 * takes no writes. Another plane that starts at the same time may be first.
 *
 * @throws ControlPlaneError when the store refuses a write.
 */
export async function fillNetworks({
  mirror,
  store,
  networksForNewFleets,
  replica,
}: Pick<Context, "mirror" | "store"> & Pick<Context["plane"], "networksForNewFleets" | "replica">): Promise<void> {
  const cause = { actor: `replica:${replica}`, operation: FILL_NETWORKS, reason: "", requestId: "" };
  for (let attempt = 1; ; attempt++) {
    try {
      const batches = planNetworks(mirror, networksForNewFleets, store.now());
      if (batches.flat().every(({ key }) => key === MARK)) return;
      for (const ops of batches) {
        await mirror.reach((await store.commit({ ops, cause })).revision);
      }
      return;
    } catch (error) {
      const isRace = error instanceof ControlPlaneError && error.code === "VERSION_MISMATCH";
      if (!isRace || attempt === ATTEMPTS) throw error;
      await mirror.reach(await store.barrier());
    }
  }
}

function fill(state: StoredState, name: Name, backendNetworks: string[], now: number): StoreOp[] {
  const before = state.stored("fleet", name);
  if (before === undefined) return [];
  const message: FleetMessage = { ...cloneMessage("fleet", before.message), backendNetworks };
  const owner = before.message.meta?.owner ?? "";
  const { op } = planPut({ kind: "fleet", message, before, owner }, { uid: "", requestId: "", now });
  return op === undefined ? [] : [op];
}

function pipesByFleet(state: State): ReadonlyMap<Name, ReadonlySet<string>> {
  const pipes = new Map<Name, Set<string>>();
  for (const [service, fleets] of fleetsByService(state)) {
    for (const { target } of state.backendsOf(service)) {
      if (target.kind !== "pipe") continue;
      for (const fleet of fleets) pipes.set(fleet, (pipes.get(fleet) ?? new Set()).add(target.path));
    }
  }
  return pipes;
}
