import type { JsonObject } from "@bufbuild/protobuf";
import { AdminService } from "../gen/fairlead/admin/v1/admin_pb.ts";
import {
  type Backend,
  Backend_StateSchema,
  BackendSchema,
  type Health,
  Health_StatusSchema,
  HealthSchema,
} from "../gen/fairlead/admin/v1/backend_pb.ts";
import { type Fleet, FleetSchema } from "../gen/fairlead/admin/v1/fleet_pb.ts";
import { type Listener, ListenerSchema } from "../gen/fairlead/admin/v1/listener_pb.ts";
import { type Policy, Policy_AlgorithmSchema, PolicySchema } from "../gen/fairlead/admin/v1/policy_pb.ts";
import { type Route, RouteSchema } from "../gen/fairlead/admin/v1/route_pb.ts";
import {
  type Service,
  Service_EndpointDiscoverySchema,
  Service_ProtocolSchema,
  ServiceSchema,
} from "../gen/fairlead/admin/v1/service_pb.ts";
import { OUTPUT_ONLY } from "../schema/object-message.ts";
import { enumText, type KindEntry, kindEntry, orDash, problemText } from "./kind-entry.ts";
import { formatMoment, type Zone } from "./moment.ts";
import { problemPiece, statePiece } from "./state-tone.ts";

const { method } = AdminService;

export const KIND_ENTRIES: readonly KindEntry[] = [
  kindEntry({
    kind: "service",
    title: "Service",
    plural: "services",
    short: "svc",
    schema: ServiceSchema,
    columns: ["NAME", "PROTOCOL", "POLICY", "BY", "BACKENDS", "ELIGIBLE", "DRAINING", "UNHEALTHY", "PROBLEM"],
    spare: ["BY", "POLICY", "DRAINING", "UNHEALTHY", "PROTOCOL"],
    cells: (service: Service) => [
      service.name,
      enumText(Service_ProtocolSchema, service.protocol, "HTTP"),
      orDash(service.policy),
      enumText(Service_EndpointDiscoverySchema, service.status?.endpointDiscovery ?? 0, "-"),
      ...[service.status?.backends, service.status?.eligible, service.status?.draining, service.status?.unhealthy].map(
        (count) => String(count ?? "-"),
      ),
      problemPiece(problemText(service.conditions)),
    ],
    page: async (admin, request) => {
      const page = await admin.call(method.listServices, request);
      return { items: page.services, next: page.nextPageToken };
    },
    get: method.getService,
    remove: removeBy(method.deleteService),
  }),
  kindEntry({
    kind: "policy",
    title: "Policy",
    plural: "policies",
    short: "pol",
    schema: PolicySchema,
    columns: ["NAME", "ALGORITHM", "PANIC", "PROBLEM"],
    cells: (policy: Policy) => [
      policy.name,
      enumText(Policy_AlgorithmSchema, policy.algorithm, "ROUND_ROBIN"),
      `${policy.panicThreshold} %`,
      problemPiece(problemText(policy.conditions)),
    ],
    page: async (admin, request) => {
      const page = await admin.call(method.listPolicies, request);
      return { items: page.policies, next: page.nextPageToken };
    },
    get: method.getPolicy,
    remove: removeBy(method.deletePolicy),
  }),
  kindEntry({
    kind: "backend",
    title: "Backend",
    plural: "backends",
    short: "be",
    schema: BackendSchema,
    columns: ["NAME", "TARGET", "WEIGHT", "LOCALITY", "PRIORITY", "STATE", "ELIGIBLE", "WHY"],
    spare: ["PRIORITY", "LOCALITY", "WEIGHT", "TARGET"],
    cells: (backend: Backend, zone) => [
      backend.name,
      backend.target.value ?? "-",
      String(backend.weight ?? 1),
      orDash([backend.locality?.region, backend.locality?.zone, backend.locality?.subZone].filter(Boolean).join("/")),
      String(backend.priority ?? 0),
      statePiece(enumText(Backend_StateSchema, backend.state, "ACTIVE")),
      backend.status === undefined ? "-" : statePiece(backend.status.eligible ? "yes" : "no"),
      orDash(whyText(backend, zone)),
    ],
    page: async (admin, request) => {
      const page = await admin.call(method.listBackends, request);
      return { items: page.backends, next: page.nextPageToken };
    },
    get: method.getBackend,
    remove: async (admin, name, { force, options }) =>
      (await admin.call(method.unregisterBackend, { name, allowRemoval: force, options })).revision,
  }),
  kindEntry({
    kind: "health",
    title: "Health",
    plural: "health",
    schema: HealthSchema,
    columns: ["BACKEND", "SOURCE", "STATUS", "REASON"],
    cells: (health: Health, zone) => [
      health.backend,
      health.source,
      statePiece(enumText(Health_StatusSchema, health.status, "-")),
      orDash(overrideText(health.reason, health, zone)),
    ],
    page: async (admin, request) => {
      const page = await admin.call(method.listHealth, request);
      return { items: page.health, next: page.nextPageToken };
    },
  }),
  kindEntry({
    kind: "listener",
    title: "Listener",
    plural: "listeners",
    short: "lis",
    schema: ListenerSchema,
    columns: ["NAME", "FLEET", "ADDRESS", "PROBLEM"],
    cells: (listener: Listener) => [
      listener.name,
      orDash(listener.fleet),
      orDash(listener.address),
      problemPiece(problemText(listener.conditions)),
    ],
    page: async (admin, request) => {
      const page = await admin.call(method.listListeners, request);
      return { items: page.listeners, next: page.nextPageToken };
    },
    get: method.getListener,
    remove: removeBy(method.deleteListener),
  }),
  kindEntry({
    kind: "route",
    title: "Route",
    plural: "routes",
    short: "rt",
    schema: RouteSchema,
    columns: ["NAME", "LISTENERS", "HOSTS", "RULES", "PROBLEM"],
    spare: ["RULES"],
    cells: (route: Route) => [
      route.name,
      orDash(route.listeners.join(",")),
      orDash(route.hosts.join(",")),
      String(route.rules.length),
      problemPiece(problemText(route.conditions)),
    ],
    page: async (admin, request) => {
      const page = await admin.call(method.listRoutes, request);
      return { items: page.routes, next: page.nextPageToken };
    },
    get: method.getRoute,
    remove: removeBy(method.deleteRoute),
  }),
  kindEntry({
    kind: "fleet",
    title: "Fleet",
    plural: "fleets",
    short: "fl",
    schema: FleetSchema,
    columns: ["NAME", "CLUSTER", "METADATA", "PROBLEM"],
    cells: (fleet: Fleet) => [
      fleet.name,
      fleet.nodes === undefined ? fleet.name : orDash(fleet.nodes.cluster),
      orDash(
        Object.entries(fleet.nodes?.metadata ?? {})
          .map(([key, value]) => `${key}=${value}`)
          .join(","),
      ),
      problemPiece(problemText(fleet.conditions)),
    ],
    page: async (admin, request) => {
      const page = await admin.call(method.listFleets, request);
      return { items: page.fleets, next: page.nextPageToken };
    },
    get: method.getFleet,
    remove: removeBy(method.deleteFleet),
  }),
];

export const DELETABLE_KINDS = KIND_ENTRIES.filter((entry) => entry.remove !== undefined);

/** Backends and verdicts change too often for one. */
export const KINDS_WITH_HISTORY = DELETABLE_KINDS.filter(({ kind }) => kind !== "backend");

/** The object without what only the plane can set, ready to be edited and applied again. */
export function editableForm(entry: KindEntry, object: JsonObject): JsonObject {
  const dropped = new Set(OUTPUT_ONLY[entry.kind]);
  return { kind: entry.title, ...Object.fromEntries(Object.entries(object).filter(([field]) => !dropped.has(field))) };
}

function whyText({ status }: Backend, zone: Zone): string {
  const { message = "", health } = status ?? {};
  return health === undefined ? message : overrideText(message, health, zone);
}

/** An operator's word is told with who gave it and when it ends. */
function overrideText(text: string, { source, actor, expireTime }: Health, zone: Zone): string {
  if (source !== "override") return text;
  const by = actor === "" ? "" : ` by ${actor}`;
  const end = expireTime === undefined ? "until it is cleared" : `until ${formatMoment(expireTime, zone)}`;
  return `${orDash(text)}${by}, ${end}`;
}

function removeBy(deletion: typeof method.deleteService): NonNullable<KindEntry["remove"]> {
  return async (admin, name, removal) => (await admin.call(deletion, { name, ...removal })).revision;
}
