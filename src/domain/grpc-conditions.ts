import type { Condition } from "./condition.ts";
import { profileOf } from "./fleet-profile.ts";
import { isDialable, leftToDeadlines, meetsCalls, policyDifferences, RETRIED, whyHeldForGrpc } from "./grpc-clients.ts";
import type { Kind, Name } from "./name.ts";
import { destinationsOf, type Route } from "./route.ts";
import { effectivePolicy } from "./routing-state.ts";
import type { State } from "./state.ts";

type Tell = (kind: Kind, name: Name, condition: Omit<Condition, "ok">) => void;

/** What gRPC clients cannot do of what routes on their listeners ask for, told on the objects that ask for it. */
export function tellGrpcClients(state: State, tell: Tell): void {
  const listeners = [...state.all("listener")].filter(({ protocol }) => protocol === "GRPC");
  const routes = new Map<Name, Route>();
  const heads = new Set<Name>();
  for (const { name, fleet } of listeners) {
    for (const route of state.referring("route", "listener", name)) {
      routes.set(route.name, route);
      if (profileOf(state, fleet).timeoutEnds === "head") heads.add(route.name);
    }
  }
  const services = new Set<Name>();
  for (const route of routes.values()) {
    tellRoute(state, tell, route, heads.has(route.name) ? "head" : "answer");
    for (const service of destinationsOf(route)) services.add(service);
  }
  const policies = new Set<Name>();
  for (const service of services) {
    const { policy, policyName } = effectivePolicy(state, service);
    if (policyName !== undefined && !policies.has(policyName)) {
      policies.add(policyName);
      for (const message of policyDifferences(policy)) tell("policy", policyName, different(message));
    }
  }
}

function tellRoute(state: State, tell: Tell, { name, hosts, rules }: Route, timeoutEnds: "head" | "answer"): void {
  const patterns = hosts.filter((host) => !isDialable(host));
  if (patterns.length > 0) {
    const message = `no gRPC client can dial ${patterns.join(", ")}: it asks for one host, so name each`;
    tell("route", name, { type: "Accepted", reason: "HostNotDialable", message });
  }
  for (const [index, rule] of rules.entries()) {
    if (!meetsCalls(rule)) continue;
    const why = whyHeldForGrpc(rule, (service) => state.get("service", service));
    if (why !== undefined) {
      const message = `rules[${index}].${why}; calls that it would match fail for gRPC clients`;
      tell("route", name, { type: "Accepted", reason: "HeldForGrpc", message });
      continue;
    }
    const unknown = rule.retry?.on.filter((one) => !RETRIED.includes(one)) ?? [];
    if (unknown.length > 0) {
      tell("route", name, different(`rules[${index}].retry.on: gRPC clients do not retry on ${unknown.join(", ")}`));
    }
    for (const field of leftToDeadlines(rule, timeoutEnds)) {
      tell("route", name, different(`rules[${index}].${field}: gRPC clients go by the deadline of the call instead`));
    }
  }
}

function different(message: string): Omit<Condition, "ok"> {
  return { type: "Accepted", reason: "DifferentForGrpc", message };
}
