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
import { outputOnly } from "../schema/object-message.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { enumText, type KindEntry, kindEntry, orDash, problemText } from "./kind-entry.ts";
import { formatMoment, type Zone } from "./moment.ts";

const { method } = AdminService;

export const KIND_ENTRIES: readonly KindEntry[] = [
  kindEntry({
    kind: "service",
    title: "Service",
    plural: "services",
    schema: ServiceSchema,
    columns: ["NAME", "PROTOCOL", "POLICY", "BY", "BACKENDS", "ELIGIBLE", "DRAINING", "UNHEALTHY", "PROBLEM"],
    cells: (service: Service) => [
      service.name,
      enumText(Service_ProtocolSchema, service.protocol, "HTTP"),
      orDash(service.policy),
      enumText(Service_EndpointDiscoverySchema, service.status?.endpointDiscovery ?? 0, "-"),
      ...[service.status?.backends, service.status?.eligible, service.status?.draining, service.status?.unhealthy].map(
        (count) => String(count ?? "-"),
      ),
      problemText(service.conditions),
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
    schema: PolicySchema,
    columns: ["NAME", "ALGORITHM", "PANIC", "PROBLEM"],
    cells: (policy: Policy) => [
      policy.name,
      enumText(Policy_AlgorithmSchema, policy.algorithm, "ROUND_ROBIN"),
      `${policy.panicThreshold} %`,
      problemText(policy.conditions),
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
    schema: BackendSchema,
    columns: ["NAME", "TARGET", "WEIGHT", "LOCALITY", "PRIORITY", "STATE", "ELIGIBLE", "WHY"],
    cells: (backend: Backend, zone) => [
      backend.name,
      backend.target.value ?? "-",
      String(backend.weight ?? 1),
      orDash([backend.locality?.region, backend.locality?.zone, backend.locality?.subZone].filter(Boolean).join("/")),
      String(backend.priority ?? 0),
      enumText(Backend_StateSchema, backend.state, "ACTIVE"),
      backend.status === undefined ? "-" : backend.status.eligible ? "yes" : "no",
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
    cells: (health: Health) => [
      health.backend,
      health.source,
      enumText(Health_StatusSchema, health.status, "-"),
      orDash(health.reason),
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
    schema: ListenerSchema,
    columns: ["NAME", "FLEET", "ADDRESS", "PROBLEM"],
    cells: (listener: Listener) => [
      listener.name,
      orDash(listener.fleet),
      orDash(listener.address),
      problemText(listener.conditions),
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
    schema: RouteSchema,
    columns: ["NAME", "LISTENERS", "HOSTS", "RULES", "PROBLEM"],
    cells: (route: Route) => [
      route.name,
      orDash(route.listeners.join(",")),
      orDash(route.hosts.join(",")),
      String(route.rules.length),
      problemText(route.conditions),
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
      problemText(fleet.conditions),
    ],
    page: async (admin, request) => {
      const page = await admin.call(method.listFleets, request);
      return { items: page.fleets, next: page.nextPageToken };
    },
    get: method.getFleet,
    remove: removeBy(method.deleteFleet),
  }),
];

/** The kind that a person means: `service`, `Service` or `services`. */
export function kindNamed(text: string): KindEntry {
  const wanted = text.toLowerCase();
  const entry = KIND_ENTRIES.find(({ kind, plural }) => kind === wanted || plural === wanted);
  if (entry !== undefined) return entry;
  const known = KIND_ENTRIES.map(({ kind }) => kind).join(", ");
  throw new CliFailure(EXIT.usage, `unknown kind "${text}"; there are: ${known}`);
}

/** The object without what only the plane can set, ready to be edited and applied again. */
export function editableForm(entry: KindEntry, object: JsonObject): JsonObject {
  const dropped = new Set(outputOnly(entry.kind));
  return { kind: entry.title, ...Object.fromEntries(Object.entries(object).filter(([field]) => !dropped.has(field))) };
}

/** An operator's word is told with who gave it and when it ends. */
function whyText({ status }: Backend, zone: Zone): string {
  const { message = "", health } = status ?? {};
  if (health?.source !== "override") return message;
  const by = health.actor === "" ? "" : ` by ${health.actor}`;
  const end =
    health.expireTime === undefined ? "until it is cleared" : `until ${formatMoment(health.expireTime, zone)}`;
  return `${message}${by}, ${end}`;
}

function removeBy(deletion: typeof method.deleteService): NonNullable<KindEntry["remove"]> {
  return async (admin, name, removal) => (await admin.call(deletion, { name, ...removal })).revision;
}
