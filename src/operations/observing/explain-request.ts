import { backendJudge } from "../../domain/backend-networks.ts";
import { fleetBackends } from "../../domain/fleet-backends.ts";
import { fleetListeners, listenerAddress } from "../../domain/fleet-listeners.ts";
import type { HttpListener } from "../../domain/listener.ts";
import { type HttpRequest, matchRequest } from "../../domain/match-request.ts";
import type { Name } from "../../domain/name.ts";
import { routingState } from "../../domain/routing-state.ts";
import type { PlacedRule } from "../../domain/rule-order.ts";
import type { State } from "../../domain/state.ts";
import type { ExplainRequestRequest } from "../../gen/fairlead/admin/v1/explain_pb.ts";
import { badField, notFound, readName } from "../object-errors.ts";

export const DEFAULT_EXPLAINED_METHOD = "GET";
const MAX_HEADERS = 100;
const MAX_URL_LENGTH = 8_192;
/** The most rules that did not match, and the most backends of a service, that one answer names. */
const MAX_PASSED = 20;
const MAX_BACKENDS = 100;

/**
 * Where proxies send a request, according to the present state: a proxy that is behind may send it elsewhere.
 *
 * @throws ControlPlaneError `invalid` / `INVALID_FIELD`; `notFound` for a fleet or listener that is named but does not exist.
 */
export function explainRequest(
  state: State,
  { url, method, headers, fleet, listener }: Omit<ExplainRequestRequest, "$typeName">,
) {
  const { port, request } = readRequest({ url, method, headers });
  const wanted = {
    fleet: fleet === "" ? undefined : existing(state, "fleet", fleet),
    listener: listener === "" ? undefined : existing(state, "listener", listener),
  };
  const all = [...fleetListeners(state)].flatMap(([name, { open }]) => open.map((one) => ({ fleet: name, one })));
  const dialled = state.get("listener", wanted.listener ?? "");
  if (dialled?.protocol === "GRPC") {
    throw badField("listener", `listener ${dialled.name} is of protocol GRPC: its clients send their calls themselves`);
  }
  const chosen = all.filter(
    (each) =>
      (wanted.fleet === undefined || wanted.fleet === each.fleet) &&
      (wanted.listener === undefined ? each.one.port === port : wanted.listener === each.one.name),
  );
  if (chosen.length === 0) {
    const ports = [...new Set(all.map(({ one }) => one.port))].toSorted((a, b) => a - b).slice(0, MAX_PASSED);
    const have = ports.length === 0 ? "there is none at all" : `there are listeners on ${ports.join(", ")}`;
    throw badField(
      "url",
      `no listener has port ${port}; ${have}; name the listener if something in front of it has another port`,
    );
  }
  return { ways: chosen.map(({ fleet: name, one }) => wayThrough(state, name, one, request)) };
}

function wayThrough(state: State, fleet: Name, listener: HttpListener, request: HttpRequest) {
  const { host, path, rule, passed, answer } = matchRequest(
    state.referring("route", "listener", listener.name),
    request,
  );
  const targets = rule === undefined ? [] : targetsOf(state, fleet, rule);
  const served = targets.filter(({ message }) => message === "").reduce((sum, { percent }) => sum + percent, 0);
  const failing =
    rule !== undefined && served < 100 ? `${Math.round(100 - served)} % of such requests are answered with 503` : "";
  return {
    fleet,
    listener: listener.name,
    address: listenerAddress(listener),
    host: host ?? "",
    path: path ?? "",
    route: rule?.route.name ?? "",
    rule: rule?.index ?? 0,
    passed: passed.slice(-MAX_PASSED).map((one) => ({
      route: one.rule.route.name,
      rule: one.rule.index,
      reason: one.why,
    })),
    targets,
    status: answer?.status ?? (rule !== undefined && served === 0 ? 503 : 0),
    message: answer?.why ?? failing,
  };
}

function targetsOf(state: State, fleet: Name, { rule }: PlacedRule) {
  const to = rule.to.filter(({ weight }) => weight > 0);
  const sum = to.reduce((all, { weight }) => all + weight, 0);
  const judge = backendJudge(state.get("fleet", fleet)?.backendNetworks ?? [], state.planeAddresses);
  return to.map(({ service, weight }) => {
    const { backends, policy } = fleetBackends(routingState(state, service), judge).routing;
    const eligible = backends.filter(({ eligibility }) => eligibility.eligible);
    // In panic, the unhealthy ones get requests too.
    const usable =
      eligible.length === 0 && policy.panicThreshold > 0
        ? backends.filter(({ status }) => status === "UNHEALTHY")
        : eligible;
    const none =
      state.get("service", service) === undefined ? "there is no such service" : "none of its backends may be used";
    return {
      service,
      percent: (weight / sum) * 100,
      backends: usable.slice(0, MAX_BACKENDS).map(({ backend }) => backend.name),
      eligible: eligible.length,
      message: usable.length === 0 ? none : "",
    };
  });
}

function existing(state: State, kind: "fleet" | "listener", text: string): Name {
  const name = readName(kind, text, kind);
  if (state.get(kind, name) === undefined) throw notFound(kind, name);
  return name;
}

type Asked = Pick<ExplainRequestRequest, "url" | "method" | "headers">;

function readRequest({ url, method, headers }: Asked): { port: number; request: HttpRequest } {
  if (url.length > MAX_URL_LENGTH)
    throw badField("url", `must have at most ${MAX_URL_LENGTH} characters, not ${url.length}`);
  // `URL` would rewrite the path to a form other than the one that is sent.
  const parts = /^(https?):\/\/([^/?#:@[\]]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?([/?][^#]*)?(?:#.*)?$/i.exec(url);
  if (parts === null) throw badField("url", `must look like http://shop.example:10080/cart, not "${url}"`);
  const [, scheme = "", name = "", given, rest = "/"] = parts;
  const port = given === undefined ? (scheme.toLowerCase() === "https" ? 443 : 80) : Number(given);
  const entries = Object.entries(headers).map(([header, value]) => [header.toLowerCase(), value] as const);
  if (entries.length > MAX_HEADERS) throw badField("headers", `must be at most ${MAX_HEADERS}, not ${entries.length}`);
  const { host, ...others } = Object.fromEntries(entries) as Record<string, string>;
  const target = rest.startsWith("/") ? rest : `/${rest}`;
  return { port, request: { host: host ?? name, target, method: method || DEFAULT_EXPLAINED_METHOD, headers: others } };
}
