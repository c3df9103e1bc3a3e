import { createRegistry, fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { backendJudge } from "../../../src/domain/backend-networks.ts";
import { conditions } from "../../../src/domain/conditions.ts";
import { FIRST_PROFILE } from "../../../src/domain/encoding-profile.ts";
import { routingState } from "../../../src/domain/routing-state.ts";
import type { State } from "../../../src/domain/state.ts";
import { HealthStatus } from "../../../src/gen/envoy/config/core/v3/health_check_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { RouteConfigurationSchema } from "../../../src/gen/envoy/config/route/v3/route_pb.ts";
import { resourcesOf } from "../../../src/resources/content.ts";
import { derive } from "../../../src/resources/derive.ts";
import { deriveEndpoints } from "../../../src/resources/endpoints.ts";
import { deriveGrpcEndpoints } from "../../../src/resources/grpc-endpoints.ts";
import type { Resource } from "../../../src/resources/resource.ts";
import { FEATURE_LEVELS, type FeatureLevel } from "../../../src/resources/view.ts";
import { CLUSTER_TYPE, ENDPOINT_TYPE, LEDS_TYPE, ROUTE_TYPE } from "../../../src/xds/protocol/resource-types.ts";
import { proxylessProblems, type ResourceInput } from "../../../src/xds/server/library.ts";
import { type Manifest, manifests } from "../../support/arbitrary-state.ts";
import { decodeResource, ENVOY_TYPES, resourceJson } from "../../support/envoy-types.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

const STATUSES = [HealthStatus.HEALTHY, HealthStatus.DEGRADED, HealthStatus.UNHEALTHY, HealthStatus.DRAINING];
const FLEETS = ["edge", "core", "nowhere"];
const stateFrom = (some: readonly Manifest[]): State => stateOf(objectsOf(some));
const given = (state: State, fleet: string, level: FeatureLevel = "base") => [
  ...resourcesOf(derive(state, { fleet, level })),
];
const ofAll = (state: State): readonly Resource[] => FLEETS.flatMap((fleet) => given(state, fleet));

test("law 7, determinism: the order of arrival changes neither bytes nor versions nor conditions", () => {
  const unique = manifests.map((all) => [...new Map(all.map((one) => [keyOf(one), one])).values()]);
  const shuffled = unique.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  fc.assert(
    fc.property(shuffled, ([some, other]) => {
      const [a, b] = [stateFrom(some), stateFrom(other)];
      const sorted = (state: State) => ofAll(state).toSorted(byRef);
      expect(sorted(b)).toEqual(sorted(a));
      expect(conditions(b)).toEqual(conditions(a));
    }),
  );
});

test("law 9, containment: every state gives resources that decode, each once, and refer to nothing that is missing", () => {
  const registry = createRegistry(...ENVOY_TYPES);
  fc.assert(
    fc.property(manifests, (some) => {
      const state = stateFrom(some);
      conditions(state);
      for (const name of FLEETS) {
        const resources = given(state, name);
        const keys = resources.map(({ typeUrl, name }) => `${typeUrl} ${name}`);
        expect(new Set(keys).size).toBe(keys.length);
        for (const resource of resources) {
          const { message } = decodeResource(resource);
          for (const { typeUrl, name } of resource.references) expect(keys).toContain(`${typeUrl} ${name}`);
          for (const { kind, name } of resource.objects) expect(state.get(kind, name)).toBeDefined();
          if (resource.typeUrl === ROUTE_TYPE) checkRoutes(resource);
          if (resource.typeUrl === ENDPOINT_TYPE) checkEndpoints(resource);
          for (const any of anysIn(message)) expect(anyUnpack(any, registry)).toBeDefined();
        }
      }
    }),
  );
});

test("law 1, eligibility: no endpoint set of a fleet, whole or by members, has a backend outside of the fleet's networks", () => {
  const leds = new Map(["a", "b", "c"].map((name) => [name, { generation: "g", epoch: 1, digest: "", departed: [] }]));
  fc.assert(
    fc.property(manifests, (some) => {
      const state = stateOf(objectsOf(some), leds);
      for (const { name, backendNetworks } of state.all("fleet")) {
        const judge = backendJudge(backendNetworks, state.planeAddresses);
        for (const level of FEATURE_LEVELS) {
          const resources = given(state, name, level);
          const services = resources.flatMap((one) => (one.typeUrl === CLUSTER_TYPE ? [one.name] : []));
          const endpoints = resources.filter(({ typeUrl }) => [ENDPOINT_TYPE, LEDS_TYPE].includes(typeUrl));
          const told = JSON.stringify(endpoints.map(resourceJson));
          for (const backend of services.flatMap((service) => [...state.backendsOf(service)])) {
            const { target } = backend;
            if (target.kind !== "address" || judge(target) === undefined) continue;
            expect(told).not.toContain(`"address":"${target.ip}"`);
          }
        }
      }
    }),
  );
});

/** Calls may find nobody, which is no mistake of what was derived. */
const NOBODY_THERE = ["route_missing", "no_usable_endpoint"];

test("law 9, containment: gRPC clients find nothing wrong with what they are sent", () => {
  fc.assert(
    fc.property(manifests, (some) => {
      const state = stateFrom(some);
      for (const name of FLEETS) {
        const resources = given(state, name, "grpc").map((one) => decodeResource(one).message);
        const problems = proxylessProblems(resources as ResourceInput[]);
        expect(problems.filter(({ code }) => !NOBODY_THERE.includes(code))).toEqual([]);
      }
    }),
  );
});

test("law 1, eligibility: gRPC clients are told of eligible backends only, and of all that have an IP address", () => {
  fc.assert(
    fc.property(manifests, (some) => {
      const state = stateFrom(some);
      for (const { name } of state.all("service")) {
        const routing = routingState(state, name);
        const { body } = deriveGrpcEndpoints(routing, FIRST_PROFILE);
        const { endpoints } = fromBinary(ClusterLoadAssignmentSchema, body);
        const told = endpoints.flatMap(({ lbEndpoints }) => lbEndpoints);
        const eligible = routing.backends.filter(
          ({ backend, eligibility }) => eligibility.eligible && backend.target.kind === "address",
        );
        expect(told.length).toBe(eligible.length);
        const localities = endpoints.map(({ locality }) => JSON.stringify(locality));
        expect(new Set(localities).size).toBe(localities.length);
        const priorities = [...new Set(endpoints.map(({ priority }) => priority))].toSorted((a, b) => a - b);
        expect(priorities).toEqual(priorities.map((_, i) => i));
      }
    }),
  );
});

test("law 9, containment: an object that nothing refers to changes nothing", () => {
  const lone = [
    { kind: "Service", name: "lone" },
    { kind: "Backend", name: "lone/a", address: "127.0.0.1:1" },
    { kind: "Route", name: "lone", listeners: ["none"], hosts: ["*"], rules: [{ to: [{ service: "lone" }] }] },
    { kind: "Listener", name: "lone", fleet: "none", address: "127.0.0.1:10000" },
  ];
  fc.assert(
    fc.property(manifests, (some) => {
      expect(ofAll(stateFrom([...some, ...lone]))).toEqual(ofAll(stateFrom(some)));
    }),
  );
});

test("law 4, accounting: endpoints that are composed again from known parts are those that are made anew", () => {
  fc.assert(
    fc.property(manifests, manifests, (first, second) => {
      const before = objectsOf(first);
      const after = stateOf([...before, ...objectsOf(second)]);
      for (const { name } of after.all("service")) {
        const known = routingState(stateOf(before), name);
        deriveEndpoints(known, FIRST_PROFILE);
        const again = deriveEndpoints(routingState(after, name, known), FIRST_PROFILE);
        expect(again).toEqual(deriveEndpoints(routingState(stateFrom([...first, ...second]), name), FIRST_PROFILE));
      }
    }),
  );
});

function checkRoutes({ body }: Resource): void {
  const { virtualHosts } = fromBinary(RouteConfigurationSchema, body);
  const domains = virtualHosts.flatMap((host) => host.domains);
  const names = virtualHosts.map((host) => host.name);
  expect(new Set(domains).size).toBe(domains.length);
  expect(new Set(names).size).toBe(names.length);
  for (const { match } of virtualHosts.flatMap((host) => host.routes)) {
    const { case: kind, value } = match?.pathSpecifier ?? { case: undefined, value: undefined };
    expect(kind).toBeDefined();
    expect(kind !== "pathSeparatedPrefix" || /^[^?#]+[^?#/]$/.test(value)).toBe(true);
  }
}

function checkEndpoints({ body }: Resource): void {
  const { endpoints } = fromBinary(ClusterLoadAssignmentSchema, body);
  const priorities = [...new Set(endpoints.map(({ priority }) => priority))];
  expect(priorities).toEqual(priorities.map((_, i) => i));
  for (const { lbEndpoints, loadBalancingWeight = 0 } of endpoints) {
    const weights = lbEndpoints.map((endpoint) => endpoint.loadBalancingWeight ?? 0);
    expect(Math.min(...weights)).toBeGreaterThan(0);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(loadBalancingWeight);
    for (const { healthStatus } of lbEndpoints) expect(STATUSES).toContain(healthStatus);
  }
}

type AnyMessage = Parameters<typeof anyUnpack>[0];

function anysIn(value: unknown): AnyMessage[] {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return [];
  if ("$typeName" in value && value.$typeName === "google.protobuf.Any") return [value as unknown as AnyMessage];
  return Object.values(value).flatMap(anysIn);
}

function keyOf(one: Manifest): string {
  return JSON.stringify([one.kind, one["name"], one["backend"], one["source"]]);
}

function byRef(a: Resource, b: Resource): number {
  const [left, right] = [`${a.typeUrl} ${a.name}`, `${b.typeUrl} ${b.name}`];
  return left < right ? -1 : left > right ? 1 : 0;
}
