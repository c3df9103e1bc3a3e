import { listenerAddress, shareAddresses } from "../../domain/fleet-listeners.ts";
import { isDialable } from "../../domain/grpc-clients.ts";
import { pathText } from "../../domain/match-request.ts";
import { mergeRoutes } from "../../domain/merge-routes.ts";
import type { Name } from "../../domain/name.ts";
import type { Route, Rule } from "../../domain/route.ts";
import type { State } from "../../domain/state.ts";
import { formatRevision } from "../../store/revision.ts";
import { ROUTE_TYPE } from "../../xds/protocol/resource-types.ts";
import type { Context } from "../context.ts";
import { firstFew } from "../first-few.ts";
import { notFound, readName } from "../object-errors.ts";
import { serviceText } from "./explain-service.ts";
import { acknowledgements, type Explanation, explanation, type Fact } from "./explanation.ts";
import { proxiesAt } from "./proxies-at.ts";

/** The places of a route's rules, and the state of the services that they lead to. @throws ControlPlaneError `notFound`. */
export async function explainRoute(context: Context, text: string): Promise<Explanation> {
  const { mirror } = context;
  const name = readName("route", text);
  const stored = mirror.stored("route", name);
  if (stored === undefined) throw notFound("route", name);
  const route = stored.object;
  const conditions = context.conditions.reader()("route", name);
  const facts: Fact[] = conditions.map(({ message }) => ["condition", message]);
  facts.push(["hosts", route.hosts.join(", ")], ...listenerFacts(mirror, route), ...ruleFacts(mirror, route));
  for (const listener of route.listeners) {
    const protocol = mirror.get("listener", listener)?.protocol;
    if (protocol === undefined) continue;
    for (const sent of protocol === "GRPC" ? route.hosts.filter(isDialable) : [listener]) {
      const at = await proxiesAt(context, { typeUrl: ROUTE_TYPE, name: sent }, stored.revision);
      facts.push(...acknowledgements(at, formatRevision(stored.revision)));
    }
  }
  const problems = firstFew(conditions, 1, ({ message }) => message);
  return explanation(problems === "" ? "all of its rules are served" : problems, facts);
}

function* listenerFacts(state: State, { listeners }: Route): Iterable<Fact> {
  for (const name of listeners) {
    const listener = state.get("listener", name);
    const about = `listener ${name}`;
    if (listener === undefined) yield [about, "there is no such listener"];
    else {
      const holder = shareAddresses(state.referring("listener", "fleet", listener.fleet)).refused.get(name);
      const place = `${listenerAddress(listener)} of fleet ${listener.fleet}`;
      const fleet = state.get("fleet", listener.fleet) === undefined ? ", which does not exist" : "";
      yield [
        about,
        holder === undefined ? `${place}${fleet}` : `closed: ${place} belongs to the older listener ${holder.name}`,
      ];
    }
  }
}

/** Each rule with its place among the rules of all routes, and what it leads to. */
function* ruleFacts(state: State, route: Route): Iterable<Fact> {
  const merged = route.listeners.map((listener) => mergeRoutes(state.referring("route", "listener", listener)));
  const services = new Set<Name>();
  for (const [index, rule] of route.rules.entries()) {
    const places = new Set(
      merged.flatMap(({ groups }) =>
        groups.flatMap(({ rules }) => {
          const at = rules.findIndex((placed) => placed.route.name === route.name && placed.index === index);
          return at < 0 ? [] : [`tried ${at + 1} of ${rules.length}`];
        }),
      ),
    );
    yield [`rules[${index}]`, `${ruleText(rule)}; ${[...places].join(", ") || "never tried"}`];
    for (const { service, weight } of rule.to) if (weight > 0) services.add(service);
  }
  for (const service of services) yield [`service ${service}`, serviceText(state, service)];
}

function ruleText({ path, methods, headers, to }: Rule): string {
  const sum = to.reduce((all, { weight }) => all + weight, 0);
  const shares = to
    .filter(({ weight }) => weight > 0)
    .map((one) => `${one.service} ${Math.round((one.weight / sum) * 100)} %`);
  const matchers = [
    pathText(path),
    ...(methods.length > 0 ? [methods.join("|")] : []),
    ...headers.map(({ name }) => `header ${name}`),
  ];
  return `${matchers.join(", ")} → ${shares.join(", ") || "nobody"}`;
}
