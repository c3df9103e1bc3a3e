import { targetText } from "./backend.ts";
import type { Condition } from "./condition.ts";
import { fleetListeners, listenerAddress } from "./fleet-listeners.ts";
import { tellGrpcClients } from "./grpc-conditions.ts";
import { hidingKey, whyRuleKeysHidden } from "./hash-keys.ts";
import { type LostRule, mergeRoutes } from "./merge-routes.ts";
import { type Kind, type Name, serviceOf, titleOf } from "./name.ts";
import { type JudgedRules, whyRuleNeverMatches } from "./never-matched.ts";
import { REFERRING, referencesOf } from "./references.ts";
import { addressed, duplicates } from "./routing-state.ts";
import type { State } from "./state.ts";

/** The conditions of objects, by `kind/name`. An object that is absent is accepted and refers to nothing unknown. */
export type Conditions = ReadonlyMap<string, readonly Condition[]>;

export function conditionsOf(conditions: Conditions, kind: Kind, name: Name): readonly Condition[] {
  return conditions.get(`${kind}/${name}`) ?? [];
}

/**
 * What the state as a whole means for single objects: dangling references, and conflicts that they lost. Conflicts cannot
 * be stopped at the door; here they are always decided the same way, and derivation uses the same functions.
 *
 * @param judged Findings about rules, kept from one state to the next.
 */
export function conditions(state: State, judged?: JudgedRules): Conditions {
  const told = new Map<string, Condition[]>();
  const tell: Tell = (kind, name, condition) => {
    const list = told.get(`${kind}/${name}`) ?? [];
    if (list.length === 0) told.set(`${kind}/${name}`, list);
    list.push({ ...condition, ok: false });
  };
  tellReferences(state, tell);
  tellBackends(state, tell);
  tellListeners(state, tell);
  tellRules(state, tell, judged);
  tellHashKeys(state, tell);
  tellGrpcClients(state, tell);
  return told;
}

type Tell = (kind: Kind, name: Name, condition: Omit<Condition, "ok">) => void;

function tellReferences(state: State, tell: Tell): void {
  for (const { kind, targets } of REFERRING) {
    for (const object of state.all(kind)) {
      for (const target of targets) {
        const named = new Set(referencesOf(kind, object, target));
        const unknown = [...named].filter((one) => state.get(target, one) === undefined).toSorted();
        if (unknown.length === 0) continue;
        const reason = `Unknown${titleOf(target)}`;
        const message = `there is no ${target} ${unknown.join(", ")}; create it, or name another one`;
        tell(kind, object.name, { type: "ResolvedRefs", reason, message });
      }
    }
  }
}

function tellBackends(state: State, tell: Tell): void {
  const services = new Set([...state.all("backend")].map(({ name }) => serviceOf(name)));
  for (const service of services) {
    for (const [name, winner] of duplicates(Array.from(state.backendsOf(service), addressed))) {
      const holds = `${targetText(winner.target)} belongs to the older backend ${winner.name}`;
      const message = `${holds}; this one gets no traffic until it has another address, or that one is unregistered`;
      tell("backend", name, { type: "Accepted", reason: "DuplicateAddress", message });
    }
  }
}

function tellListeners(state: State, tell: Tell): void {
  for (const [fleet, { refused }] of fleetListeners(state)) {
    for (const [name, holder] of refused) {
      if (holder.protocol === "GRPC") {
        const held = `fleet ${fleet} has the older listener ${holder.name} of protocol GRPC, and can have one`;
        const message = `${held}; no client sees this one: attach its routes to that one`;
        tell("listener", name, { type: "Accepted", reason: "AddressInUse", message });
        continue;
      }
      const holds = `${listenerAddress(holder)} belongs to the older listener ${holder.name} of fleet ${fleet}`;
      const message = `${holds}; no proxy opens this one until it has another address, or that one is moved`;
      tell("listener", name, { type: "Accepted", reason: "AddressInUse", message });
    }
  }
}

function tellRules(state: State, tell: Tell, judged?: JudgedRules): void {
  for (const { name, rules } of state.all("route")) {
    for (const [index, rule] of rules.entries()) {
      for (const why of whyRuleNeverMatches(rule, judged)) {
        const message = `rules[${index}] can never match: ${why}`;
        tell("route", name, { type: "Accepted", reason: "RuleNeverMatches", message });
      }
    }
  }
  const told = new Set<string>();
  const tellOnce = (reason: string, { loser, winner, hosts }: LostRule, why: string): void => {
    const key = JSON.stringify([reason, loser.route.name, loser.index, winner.route.name]);
    if (told.has(key)) return;
    told.add(key);
    const problem = `rules[${loser.index}] is never reached for ${hosts.join(", ")}`;
    const message = `${problem}: ${why}; a greater priority would change that`;
    tell("route", loser.route.name, { type: "Accepted", reason, message });
  };
  const listeners = Array.from(state.all("listener"), ({ name }) => name).sort();
  for (const listener of listeners) {
    const { lost, shadowed } = mergeRoutes(state.referring("route", "listener", listener));
    for (const rule of lost) {
      const winner = `rules[${rule.winner.index}] of the older route ${rule.winner.route.name}`;
      tellOnce("RuleConflict", rule, `${winner} has the same match and priority`);
    }
    for (const rule of shadowed) {
      const winner = `rules[${rule.winner.index}] of route ${rule.winner.route.name}`;
      tellOnce("RuleShadowed", rule, `${winner} comes first and matches all of it`);
    }
  }
}

function tellHashKeys(state: State, tell: Tell): void {
  const reason = "HashKeyHidden";
  for (const { name, hashOn } of state.all("policy")) {
    const hiding = hidingKey(hashOn);
    if (hiding === undefined) continue;
    const problem = `hashOn[${hiding.index + 1}] never counts behind hashOn[${hiding.index}]: ${hiding.why}`;
    const message = `${problem}; put it before that one, or hash both together: \`{ all: […, …] }\``;
    tell("policy", name, { type: "Accepted", reason, message });
  }
  for (const { name, rules } of state.all("route")) {
    for (const [index, rule] of rules.entries()) {
      const why = rule.to.length < 2 ? undefined : whyRuleKeysHidden(state, rule);
      if (why !== undefined) tell("route", name, { type: "Accepted", reason, message: `rules[${index}]: ${why}` });
    }
  }
}
