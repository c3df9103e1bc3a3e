import type { Mirror } from "../control/mirror.ts";
import { isPart, type Name, type ObjectId, serviceOfObject } from "../domain/name.ts";
import { routingState } from "../domain/routing-state.ts";
import { memberPath, memberPaths } from "../resources/leds.ts";
import { RECORDS } from "../store/keys/records.ts";
import type { StoreOp } from "../store/state-store.ts";
import type { Duty } from "./duty.ts";
import { planLeds } from "./leds.ts";

/** What is known of a service's collections besides its record. */
interface Account {
  /** Members by digest: those of the record, whether or not what was planned last is committed. */
  readonly members: Map<string, ReadonlySet<string>>;
  /** Members that may have existed since then, even only between two looks. */
  readonly seen: Set<string>;
  /** The first halves of all their names. */
  readonly groups: Set<string>;
}

/** Decides which services are delivered by LEDS, and keeps track of what their collections lost. */
export function deliverByLeds(mirror: Mirror): Duty {
  const accounts = new Map<Name, Account>();
  /** Undefined, which means all services, until they have been looked at once. */
  let changed: Set<Name> | undefined;

  const accountOf = (service: Name): Account => {
    const account: Account = accounts.get(service) ?? { members: new Map(), seen: new Set(), groups: new Set() };
    accounts.set(service, account);
    return account;
  };
  const observe = ({ kind, name }: ObjectId) => {
    const service = serviceOfObject(kind, name) ?? name;
    changed?.add(service);
    if (!isPart(kind) || mirror.record("leds", service) === undefined) return;
    const backend = mirror.get("backend", name);
    const account = accountOf(service);
    if (backend !== undefined) account.seen.add(memberPath(backend));
    else for (const path of pathsOf(name, account)) account.seen.add(path);
  };
  const look = (name: Name, now: number): StoreOp | undefined => {
    if (mirror.isSetAside("service", name)) return undefined;
    const record = mirror.record("leds", name);
    const account = accountOf(name);
    const { members, seen } = account;
    const membersAt = (digest: string) => members.get(digest);
    const plan = planLeds(mirror, name, { now, epoch: mirror.revision.epoch, membersAt, seen });
    if (plan.change === "none") {
      seen.clear();
      if (record === undefined) accounts.delete(name);
      else if (!members.has(record.digest)) keep(account, record.digest, memberPaths(routingState(mirror, name)));
      return undefined;
    }
    if (plan.change === "delete") {
      accounts.delete(name);
      return { op: "delete", key: RECORDS.leds.key(name) };
    }
    for (const digest of members.keys()) if (digest !== record?.digest) members.delete(digest);
    keep(account, plan.record.digest, plan.members);
    return { op: "put", key: RECORDS.leds.key(name), value: RECORDS.leds.encode(plan.record) };
  };
  return {
    name: "leds",
    operation: "deliver-by-leds",
    concerns: ["service", "backend"],
    observe: (objects) => objects.forEach(observe),
    plan: (now) => {
      const services = changed ?? allServices(mirror);
      changed = new Set();
      const ops: StoreOp[] = [];
      for (const name of services) {
        const op = look(name, now);
        if (op === undefined) continue;
        ops.push(op);
        // A commit that fails is planned anew.
        changed.add(name);
      }
      return { batches: ops.map((op) => [op]), nextAt: undefined };
    },
  };
}

/** Where a removed backend was a member. For one that was never reported here, since it came and went at once: anywhere. */
function pathsOf(backend: Name, { members, seen, groups }: Account): readonly string[] {
  const id = backend.slice(backend.lastIndexOf("/") + 1);
  const paths = Array.from(groups, (group) => `${group}/${id}`);
  const known = paths.filter((path) => seen.has(path) || members.values().some((each) => each.has(path)));
  return known.length > 0 ? known : paths;
}

function keep({ members, groups }: Account, digest: string, paths: ReadonlySet<string>): void {
  members.set(digest, paths);
  for (const path of paths) groups.add(path.slice(0, path.indexOf("/")));
}

function allServices(mirror: Mirror): Set<Name> {
  return new Set([...Array.from(mirror.all("service"), ({ name }) => name), ...mirror.records("leds").keys()]);
}
