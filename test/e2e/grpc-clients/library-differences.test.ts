import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, test } from "vitest";
import { Cluster_DiscoveryType, Cluster_LbPolicy } from "../../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import {
  RetryPolicySchema,
  type Route,
  RouteMatchSchema,
} from "../../../src/gen/envoy/config/route/v3/route_components_pb.ts";
import { RingHashSchema } from "../../../src/gen/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.ts";
import { RoundRobinSchema } from "../../../src/gen/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.ts";
import { proxylessProblems, type ResourceInput } from "../../../src/xds/server/library.ts";
import { eventually } from "../../support/eventually.ts";
import {
  apiListener,
  assignment,
  edsCluster,
  endpointAt,
  hostOf,
  httpManager,
  locality,
  packed,
  routeConfig,
  router,
  routesTo,
  routeTo,
  routeWith,
} from "../../support/proxyless-resources.ts";
import { COMPONENT_TIMEOUT_MS, LIBRARIES, withBootstrap } from "./libraries.ts";
import { startPlane } from "./plane.ts";
import { startTalking, type TalkingCommand } from "./talking-child.ts";
import { startWho } from "./who.ts";

/** A NACK; or an ACK, after which calls reach what the resources say, or fail. */
type Verdict = "refused" | "taken" | "fails";

interface Case {
  readonly what: string;
  /** What the lint calls it. */
  readonly code: string;
  /** Of grpc-js, C-core, grpc-go and grpc-java, in the order of LIBRARIES. */
  readonly verdicts: readonly [Verdict, Verdict, Verdict, Verdict];
  /** The resources that differ from the usual ones of the cluster `name`, whose backend has that port. */
  readonly differing: (name: string, port: number) => readonly ResourceInput[];
}

const other = packed(RoundRobinSchema);
const withRoute = (change: (route: Route) => void) => (name: string) => {
  const route = routeTo(name);
  change(route);
  return [routeConfig(hostOf(route))];
};
const withCluster = (more: Parameters<typeof edsCluster>[1]) => (name: string) => [edsCluster(name, more)];
const withManager = (more: Parameters<typeof httpManager>[0]) => () => [apiListener("who.example", httpManager(more))];

/** What Envoy takes. */
const CASES: readonly Case[] = [
  {
    what: "a cluster of type STATIC",
    code: "cluster_type_unknown",
    verdicts: ["refused", "refused", "refused", "refused"],
    differing: withCluster({ clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC } }),
  },
  {
    what: "a cluster with transport socket matches",
    code: "transport_socket_matches_set",
    verdicts: ["taken", "taken", "refused", "refused"],
    differing: withCluster({ transportSocketMatches: [{ name: "any" }] }),
  },
  {
    what: "a cluster with LEAST_REQUEST",
    code: "lb_policy_unknown",
    verdicts: ["refused", "refused", "taken", "taken"],
    differing: withCluster({ lbPolicy: Cluster_LbPolicy.LEAST_REQUEST }),
  },
  {
    what: "a cluster with a ring_hash by the default function",
    code: "hash_function_unknown",
    verdicts: ["refused", "taken", "refused", "refused"],
    differing: withCluster({
      loadBalancingPolicy: {
        policies: [{ typedExtensionConfig: { name: "ring", typedConfig: packed(RingHashSchema) } }],
      },
    }),
  },
  {
    what: "endpoints without a locality",
    code: "locality_missing",
    verdicts: ["refused", "refused", "refused", "taken"],
    differing: (name, port) => {
      const nowhere = locality(endpointAt(port));
      nowhere.locality = undefined;
      return [assignment(name, nowhere)];
    },
  },
  {
    what: "endpoints of a locality without a weight",
    code: "locality_weight_missing",
    verdicts: ["fails", "fails", "fails", "fails"],
    differing: (name, port) => {
      const weightless = locality(endpointAt(port));
      weightless.loadBalancingWeight = undefined;
      return [assignment(name, weightless)];
    },
  },
  {
    what: "an address twice",
    code: "address_repeated",
    verdicts: ["refused", "refused", "refused", "taken"],
    differing: (name, port) => [assignment(name, locality(endpointAt(port), endpointAt(port)))],
  },
  {
    what: "a host name as an address",
    code: "address_not_ip",
    verdicts: ["refused", "refused", "taken", "refused"],
    differing: (name, port) => [assignment(name, locality(endpointAt(port, "localhost")))],
  },
  {
    what: "a route for a path_separated_prefix",
    code: "path_match_unknown",
    verdicts: ["refused", "refused", "refused", "refused"],
    differing: withRoute(({ match }) => {
      if (match) match.pathSpecifier = { case: "pathSeparatedPrefix", value: "/fairlead.test.Who" };
    }),
  },
  {
    what: "a route with settings of a filter that is unknown",
    code: "filter_unknown",
    verdicts: ["refused", "refused", "refused", "refused"],
    differing: withRoute((route) => {
      route.typedPerFilterConfig["other"] = other;
    }),
  },
  {
    what: "a route with no retries",
    code: "retries_zero",
    verdicts: ["refused", "refused", "refused", "fails"],
    differing: withRoute(({ action }) => {
      if (action.case === "route")
        action.value.retryPolicy = create(RetryPolicySchema, { retryOn: "unavailable", numRetries: 0 });
    }),
  },
  {
    what: "a route that redirects",
    code: "action_unknown",
    verdicts: ["refused", "fails", "fails", "refused"],
    differing: () => [routeConfig(hostOf(routeWith({ case: "redirect", value: { hostRedirect: "who.example" } })))],
  },
  {
    what: "a route that answers itself",
    code: "action_unknown",
    verdicts: ["refused", "fails", "fails", "refused"],
    differing: () => [routeConfig(hostOf(routeWith({ case: "directResponse", value: { status: 503 } })))],
  },
  {
    what: "an unknown filter",
    code: "filter_unknown",
    verdicts: ["refused", "refused", "refused", "refused"],
    differing: withManager({
      httpFilters: [{ name: "other", configType: { case: "typedConfig", value: other } }, router()],
    }),
  },
  {
    what: "a filter's name twice",
    code: "filter_repeated",
    verdicts: ["refused", "refused", "refused", "refused"],
    differing: withManager({
      httpFilters: [{ name: "router", isOptional: true, configType: { case: "typedConfig", value: other } }, router()],
    }),
  },
  {
    what: "an extension that detects the original address",
    code: "ip_detection_set",
    verdicts: ["taken", "refused", "refused", "refused"],
    differing: withManager({ originalIpDetectionExtensions: [{ name: "other", typedConfig: other }] }),
  },
];

const everything = (name: string, port: number) => [
  apiListener("who.example"),
  routesTo(name),
  edsCluster(name),
  assignment(name, locality(endpointAt(port))),
];

describe.each(LIBRARIES.map((library, index) => ({ ...library, index })))("$name", ({ command: find, index }) => {
  let command: TalkingCommand;
  beforeAll(() => {
    command = find();
  }, COMPONENT_TIMEOUT_MS);

  test("takes and refuses what it is known to, and the lint names all that any library refuses", async () => {
    await using plane = await startPlane();
    using usual = await startWho("usual");
    using unusual = await startWho("unusual");
    plane.publish(everything("usual", usual.port));
    await using client = startTalking(withBootstrap(command, plane.address, "xds:///who.example"));
    const restored = async () => (await client.ask("ask")) === "answer usual" && settled();
    const settled = () => plane.server.clients()[0]?.oldestPending === undefined;

    const seen: string[] = [];
    for (const [number, { what, code, differing }] of CASES.entries()) {
      plane.publish(everything("usual", usual.port));
      await eventually(restored, (done) => done, { what: `the usual answer before ${what}`, timeoutMs: 60_000 });

      const name = `unusual-${number}`;
      const resources = differing(name, unusual.port);
      expect(proxylessProblems(resources).map((problem) => problem.code)).toContain(code);
      const before = plane.refusals.length;
      plane.publish([...everything(name, unusual.port), ...resources]);
      const verdict = async (): Promise<Verdict | undefined> => {
        const line = await client.ask("ask");
        if (plane.refusals.length > before) return "refused";
        if (!settled()) return undefined;
        return line.startsWith("error") ? "fails" : line === "answer unusual" ? "taken" : undefined;
      };
      const found = await eventually(verdict, (each) => each !== undefined, { what: `a verdict on ${what}` });
      seen.push(`${what}: ${found}`);
    }
    expect(seen).toEqual(CASES.map(({ what, verdicts }) => `${what}: ${verdicts[index]}`));
  });

  test("leaves out the conditions of routes that it is known to leave out", async () => {
    await using plane = await startPlane();
    using usual = await startWho("usual");
    using unusual = await startWho("unusual");
    using third = await startWho("third");
    plane.publish([...everything("usual", usual.port), ...everything("unusual", unusual.port)]);
    await using client = startTalking(withBootstrap(command, plane.address, "xds:///who.example"));
    const answers = (name: string, why: string) =>
      eventually(
        () => client.ask("ask"),
        (line) => line === `answer ${name}`,
        { what: `an answer of ${name} ${why}`, timeoutMs: 60_000 },
      );
    await answers("unusual", "at first");
    for (const { what, code, match, ignoredBy } of CONDITIONS) {
      const conditional = routeTo("usual");
      conditional.match = create(RouteMatchSchema, match);
      const routes = routeConfig(hostOf(conditional, routeTo("unusual")));
      expect(proxylessProblems([routes]).map((problem) => problem.code)).toEqual(code === undefined ? [] : [code]);
      plane.publish([routesTo("third"), edsCluster("third"), assignment("third", locality(endpointAt(third.port)))]);
      await answers("third", `before ${what}`);
      plane.publish([routes]);
      await answers(ignoredBy[index] === true ? "usual" : "unusual", `with ${what}`);
    }
    expect(plane.refused).toEqual([]);
  });
});

const anyCall = { pathSpecifier: { case: "prefix", value: "" } } as const;

/** Conditions that do not hold for any call, and which libraries take a route with it all the same, as in LIBRARIES. */
const CONDITIONS: readonly {
  readonly what: string;
  readonly code: string | undefined;
  readonly match: MessageInitShape<typeof RouteMatchSchema>;
  readonly ignoredBy: readonly [boolean, boolean, boolean, boolean];
}[] = [
  {
    what: "dynamic metadata",
    code: "match_condition_ignored",
    match: { ...anyCall, dynamicMetadata: [{ filter: "other", path: [{ segment: { case: "key", value: "a" } }] }] },
    ignoredBy: [true, true, true, true],
  },
  {
    what: "a client's certificate",
    code: "match_condition_ignored",
    match: { ...anyCall, tlsContext: { presented: true } },
    ignoredBy: [true, true, true, true],
  },
  {
    what: "a query parameter",
    code: "match_condition_ignored",
    match: { ...anyCall, queryParameters: [{ name: "a" }] },
    ignoredBy: [true, false, false, false],
  },
  {
    what: "a path in capitals",
    code: undefined,
    match: { pathSpecifier: { case: "prefix", value: "/FAIRLEAD" } },
    ignoredBy: [false, false, false, true],
  },
  {
    what: "a path in capitals that says that case counts",
    code: undefined,
    match: { pathSpecifier: { case: "prefix", value: "/FAIRLEAD" }, caseSensitive: true },
    ignoredBy: [false, false, false, false],
  },
];

/** Routes that end a client, or all that it ever calls, and which they end. */
const CRASHES = [
  {
    library: "grpc-java",
    what: "an empty domain",
    routes: routeConfig({ ...hostOf(routeTo("usual")), domains: ["", "*"] }),
    code: "domain_malformed",
    end: "error Panic! This is a bug!",
  },
  {
    library: "grpc-js",
    what: "an action of servers",
    routes: routeConfig(hostOf(routeWith({ case: "nonForwardingAction", value: {} }))),
    code: "action_of_server",
    end: "gone",
  },
];

test.each(CRASHES)("$what ends a client over $library for good", async ({ library, routes, code, end }) => {
  const listener = apiListener("who.example");
  expect(proxylessProblems([routes, listener]).map((each) => `${each.code} ${each.effect}`)).toEqual([`${code} crash`]);
  const command = LIBRARIES.find(({ name }) => name === library)?.command();
  if (!command) expect.fail();
  await using plane = await startPlane();
  using usual = await startWho("usual");
  plane.publish(everything("usual", usual.port));
  await using client = startTalking(withBootstrap(command, plane.address, "xds:///who.example"));
  const answer = () => client.ask("ask").catch(() => "gone");
  await eventually(answer, (line) => line === "answer usual", { what: "the usual answer", timeoutMs: 60_000 });
  plane.publish([routes]);
  await eventually(answer, (line) => line === end, { what: "the end" });
  plane.publish(everything("usual", usual.port));
  await eventually(
    () => plane.server.clients(),
    (clients) => clients.every(({ oldestPending }) => oldestPending === undefined),
    { what: "an acknowledgement of the usual resources" },
  );
  expect(await answer()).toBe(end);
});
