import { encodeLeds, ledsKey } from "../control/leds-record.ts";
import type { ChangedObject, Mirror } from "../control/mirror.ts";
import { type Name, serviceOf } from "../domain/name.ts";
import { routingState } from "../domain/routing-state.ts";
import { memberPaths } from "../resources/leds.ts";
import type { StoreOp } from "../store/state-store.ts";
import type { Duty } from "./duty.ts";
import { digestOf, planLeds } from "./leds.ts";

/** Decides which services are delivered by LEDS, and keeps account of what their collections lost. */
export function deliverByLeds(mirror: Mirror): Duty {
  /** Members by service and digest: those that the record may be of, once what was planned is committed or not. */
  const known = new Map<Name, Map<string, ReadonlySet<string>>>();
  /** All services, until they were looked at once. */
  let changed: Set<Name> | undefined;
  return {
    name: "leds",
    operation: "deliver-by-leds",
    concerns: ["service", "backend"],
    observe: (objects) => {
      for (const object of objects) changed?.add(serviceNameOf(object));
    },
    plan: (now) => {
      const services = changed ?? allServices(mirror);
      changed = new Set();
      const ops: StoreOp[] = [];
      for (const name of services) {
        const record = mirror.leds(name);
        const members = known.get(name);
        const plan = planLeds(mirror, name, {
          now,
          epoch: mirror.revision.epoch,
          membersAt: (digest) => members?.get(digest),
        });
        if (plan.change === "none") {
          if (record !== undefined && members?.has(record.digest) !== true) known.set(name, membersNow(mirror, name));
          continue;
        }
        // A commit that fails is planned anew.
        changed.add(name);
        if (plan.change === "delete") {
          known.delete(name);
          ops.push({ op: "delete", key: ledsKey(name) });
          continue;
        }
        const before = record === undefined ? undefined : members?.get(record.digest);
        known.set(name, new Map([[plan.record.digest, plan.members]]));
        if (record !== undefined && before !== undefined) known.get(name)?.set(record.digest, before);
        ops.push({ op: "put", key: ledsKey(name), value: encodeLeds(plan.record) });
      }
      return { batches: ops.map((op) => [op]), nextAt: undefined };
    },
  };
}

function membersNow(mirror: Mirror, service: Name): Map<string, ReadonlySet<string>> {
  const members = memberPaths(routingState(mirror, service));
  return new Map([[digestOf(members), members]]);
}

function allServices(mirror: Mirror): Set<Name> {
  return new Set([...Array.from(mirror.all("service"), ({ name }) => name), ...mirror.ledsServices()]);
}

function serviceNameOf({ kind, name }: ChangedObject): Name {
  return kind === "backend" ? serviceOf(name) : name;
}
