import type { JsonObject } from "@bufbuild/protobuf";
import { KINDS } from "../domain/name.ts";
import { AdminService } from "../gen/fairlead/admin/v1/admin_pb.ts";
import {
  type Backend,
  Backend_StateSchema,
  type Health,
  Health_StatusSchema,
} from "../gen/fairlead/admin/v1/backend_pb.ts";
import { Listener_ProtocolSchema } from "../gen/fairlead/admin/v1/listener_pb.ts";
import { Policy_AlgorithmSchema } from "../gen/fairlead/admin/v1/policy_pb.ts";
import { Service_EndpointDiscoverySchema, Service_ProtocolSchema } from "../gen/fairlead/admin/v1/service_pb.ts";
import { hasHistory } from "../schema/kinds/registry.ts";
import { outputOnly } from "../schema/object-message.ts";
import { enumText, type Kind, type KindDisplay, type KindEntry, kindEntry, orDash } from "./kind-entry.ts";
import { formatMoment, type Zone } from "./moment.ts";
import { problemPiece, statePiece } from "./state-tone.ts";

/** How the objects of each kind look in a table, and what else only the command line knows about them. */
const DISPLAYS: { readonly [K in Kind]: KindDisplay<K> } = {
  service: {
    short: "svc",
    columns: ["NAME", "PROTOCOL", "POLICY", "DISCOVERY", "BACKENDS", "ELIGIBLE", "DRAINING", "UNHEALTHY", "PROBLEM"],
    spare: ["DISCOVERY", "POLICY", "DRAINING", "UNHEALTHY", "PROTOCOL"],
    cells: (service) => [
      service.name,
      enumText(Service_ProtocolSchema, service.protocol, "HTTP"),
      orDash(service.policy),
      enumText(Service_EndpointDiscoverySchema, service.status?.endpointDiscovery ?? 0, "-"),
      ...[service.status?.backends, service.status?.eligible, service.status?.draining, service.status?.unhealthy].map(
        (count) => String(count ?? "-"),
      ),
      problemPiece(service),
    ],
  },
  policy: {
    short: "pol",
    columns: ["NAME", "ALGORITHM", "PANIC", "PROBLEM"],
    cells: (policy) => [
      policy.name,
      enumText(Policy_AlgorithmSchema, policy.algorithm, "ROUND_ROBIN"),
      `${policy.panicThreshold} %`,
      problemPiece(policy),
    ],
  },
  backend: {
    short: "be",
    columns: ["NAME", "TARGET", "WEIGHT", "LOCALITY", "PRIORITY", "STATE", "ELIGIBLE", "WHY"],
    spare: ["PRIORITY", "LOCALITY", "WEIGHT", "TARGET"],
    cells: (backend, zone) => [
      backend.name,
      backend.target.value ?? "-",
      String(backend.weight ?? 1),
      orDash([backend.locality?.region, backend.locality?.zone, backend.locality?.subZone].filter(Boolean).join("/")),
      String(backend.priority ?? 0),
      statePiece(enumText(Backend_StateSchema, backend.state, "ACTIVE")),
      backend.status === undefined ? "-" : statePiece(backend.status.eligible ? "yes" : "no"),
      orDash(whyText(backend, zone)),
    ],
    remove: async (admin, name, { force, options }) =>
      (await admin.call(AdminService.method.unregisterBackend, { name, allowRemoval: force, options })).revision,
  },
  health: {
    columns: ["BACKEND", "SOURCE", "STATUS", "REASON"],
    nameCells: 2,
    cells: (health, zone) => [
      health.backend,
      health.source,
      statePiece(enumText(Health_StatusSchema, health.status, "-")),
      orDash(overrideText(health.reason, health, zone)),
    ],
  },
  listener: {
    short: "lis",
    columns: ["NAME", "FLEET", "PROTOCOL", "ADDRESS", "PROBLEM"],
    spare: ["PROTOCOL"],
    cells: (listener) => [
      listener.name,
      orDash(listener.fleet),
      enumText(Listener_ProtocolSchema, listener.protocol, "HTTP"),
      orDash(listener.address),
      problemPiece(listener),
    ],
  },
  route: {
    short: "rt",
    columns: ["NAME", "LISTENERS", "HOSTS", "RULES", "PROBLEM"],
    spare: ["RULES"],
    cells: (route) => [
      route.name,
      orDash(route.listeners.join(",")),
      orDash(route.hosts.join(",")),
      String(route.rules.length),
      problemPiece(route),
    ],
  },
  fleet: {
    short: "fl",
    columns: ["NAME", "CLUSTER", "METADATA", "PROBLEM"],
    cells: (fleet) => [
      fleet.name,
      fleet.nodes === undefined ? fleet.name : orDash(fleet.nodes.cluster),
      orDash(
        Object.entries(fleet.nodes?.metadata ?? {})
          .map(([key, value]) => `${key}=${value}`)
          .join(","),
      ),
      problemPiece(fleet),
    ],
  },
};

export const KIND_ENTRIES: readonly KindEntry[] = KINDS.map((kind) => kindEntry(kind, DISPLAYS[kind]));

export const DELETABLE_KINDS = KIND_ENTRIES.filter((entry) => entry.remove !== undefined);

export const KINDS_WITH_HISTORY = KIND_ENTRIES.filter(({ kind }) => hasHistory(kind));

/** The object without what only the plane can set, ready to be edited and applied again. */
export function editableForm(entry: KindEntry, object: JsonObject): JsonObject {
  const dropped = new Set(outputOnly(entry.kind));
  return { kind: entry.title, ...Object.fromEntries(Object.entries(object).filter(([field]) => !dropped.has(field))) };
}

function whyText({ status }: Backend, zone: Zone): string {
  const { message = "", health } = status ?? {};
  return health === undefined ? message : overrideText(message, health, zone);
}

/** An operator's override is shown with who set it and when it ends. */
function overrideText(text: string, { source, actor, expireTime }: Health, zone: Zone): string {
  if (source !== "override") return text;
  const by = actor === "" ? "" : `by ${actor}`;
  const end = expireTime === undefined ? "until it is cleared" : `until ${formatMoment(expireTime, zone)}`;
  const what = [text, by].filter((part) => part !== "").join(" ");
  return what === "" ? end : `${what}, ${end}`;
}
