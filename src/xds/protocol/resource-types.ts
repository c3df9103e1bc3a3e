/** The type URL of a message, by its full name. */
export function typeUrlOf(typeName: string): string {
  return `type.googleapis.com/${typeName}`;
}

export const LISTENER_TYPE = typeUrlOf("envoy.config.listener.v3.Listener");
export const CLUSTER_TYPE = typeUrlOf("envoy.config.cluster.v3.Cluster");
export const ENDPOINT_TYPE = typeUrlOf("envoy.config.endpoint.v3.ClusterLoadAssignment");
export const LEDS_TYPE = typeUrlOf("envoy.config.endpoint.v3.LbEndpoint");
export const ROUTE_TYPE = typeUrlOf("envoy.config.route.v3.RouteConfiguration");
export const SCOPED_ROUTE_TYPE = typeUrlOf("envoy.config.route.v3.ScopedRouteConfiguration");
export const VIRTUAL_HOST_TYPE = typeUrlOf("envoy.config.route.v3.VirtualHost");
export const SECRET_TYPE = typeUrlOf("envoy.extensions.transport_sockets.tls.v3.Secret");
export const RUNTIME_TYPE = typeUrlOf("envoy.service.runtime.v3.Runtime");
export const EXTENSION_TYPE = typeUrlOf("envoy.config.core.v3.TypedExtensionConfig");

/** How the protocol treats one type. A new type is an entry, not a branch. */
export type ResourceType = {
  readonly typeUrl: string;
  /** The name people use: `CDS`. */
  readonly shortName: string;
  /** SotW responses carry the full set, and absence deletes ("Grouping Resources into Responses"). */
  readonly fullSet: boolean;
  /** An empty first request means everything ("legacy" wildcard); an explicit `*` is always understood. */
  readonly legacyWildcard: boolean;
  /** `explicit`: delta sends a removal. `never`: Envoy ignores it or suffers from it, so the client keeps its copy (xds R7). */
  readonly removal: "explicit" | "never";
  /** Types that lead a client to resources of this type, which are removed after whatever refers to them (xds R28). */
  readonly removedAfter?: readonly string[];
  /** Delta's answer for a name that does not exist: `placeholder` asks for a resource that says so (xds R8, VHDS). */
  readonly absent: "removed" | "placeholder-if-referenced" | "placeholder";
  /**
   * Names are `NAMESPACE/…`, and a parent that refers to `NAMESPACE/` waits until it is told of a member, or that
   * there is none (xds W8).
   */
  readonly namespaced: boolean;
  /** Types that are sent again right behind a new or changed resource of this type that refers to them (xds R3, R25). */
  readonly companions: readonly string[];
  /** A resource of this type goes out after those it refers to of these types, which leave after it (xds R1, R2). */
  readonly waitsFor: readonly string[];
  /** A second response may overtake one that is not acknowledged yet (the CDS ACK is withheld while a cluster warms). */
  readonly overtakes: boolean;
  /** Names may be collections (`xdstp://…/*`) whose members reconnect without versions (xds R19). */
  readonly collections: boolean;
  /** The client takes a body-less resource of the same version as a renewal of its TTL (xds R11). */
  readonly heartbeats: boolean;
};

const named = {
  fullSet: false,
  legacyWildcard: false,
  removal: "never",
  absent: "removed",
  namespaced: false,
  companions: [],
  waitsFor: [],
  overtakes: false,
  collections: false,
  heartbeats: true,
} as const;

/** The types in the order in which they leave on one stream ("Eventual consistency considerations"). */
export const RESOURCE_TYPES: readonly ResourceType[] = [
  {
    ...named,
    typeUrl: CLUSTER_TYPE,
    shortName: "CDS",
    fullSet: true,
    legacyWildcard: true,
    removal: "explicit",
    companions: [ENDPOINT_TYPE, SECRET_TYPE],
    overtakes: true,
  },
  { ...named, typeUrl: ENDPOINT_TYPE, shortName: "EDS", absent: "placeholder-if-referenced", companions: [LEDS_TYPE] },
  { ...named, typeUrl: LEDS_TYPE, shortName: "LEDS", removal: "explicit", collections: true },
  { ...named, typeUrl: SECRET_TYPE, shortName: "SDS" },
  {
    ...named,
    typeUrl: LISTENER_TYPE,
    shortName: "LDS",
    fullSet: true,
    legacyWildcard: true,
    removal: "explicit",
    companions: [SECRET_TYPE],
    waitsFor: [CLUSTER_TYPE],
  },
  {
    ...named,
    typeUrl: SCOPED_ROUTE_TYPE,
    shortName: "SRDS",
    fullSet: true,
    legacyWildcard: true,
    removal: "explicit",
    waitsFor: [CLUSTER_TYPE],
  },
  { ...named, typeUrl: ROUTE_TYPE, shortName: "RDS", companions: [VIRTUAL_HOST_TYPE], waitsFor: [CLUSTER_TYPE] },
  {
    ...named,
    typeUrl: VIRTUAL_HOST_TYPE,
    shortName: "VHDS",
    legacyWildcard: true,
    removal: "explicit",
    absent: "placeholder",
    namespaced: true,
    waitsFor: [CLUSTER_TYPE],
    heartbeats: false,
  },
  { ...named, typeUrl: EXTENSION_TYPE, shortName: "ECDS" },
  { ...named, typeUrl: RUNTIME_TYPE, shortName: "RTDS", removal: "explicit" },
];

export type Registry = {
  readonly ordered: readonly ResourceType[];
  readonly byTypeUrl: ReadonlyMap<string, ResourceType>;
};

/** How the types that Envoy keeps differ for a client that is told of every removal (xds R28). */
const TOLD: Readonly<Record<string, Partial<ResourceType>>> = {
  [ENDPOINT_TYPE]: { removal: "explicit", absent: "removed", removedAfter: [CLUSTER_TYPE] },
  [SECRET_TYPE]: { removal: "explicit", removedAfter: [CLUSTER_TYPE, LISTENER_TYPE] },
  [ROUTE_TYPE]: { removal: "explicit", removedAfter: [LISTENER_TYPE, SCOPED_ROUTE_TYPE] },
  [EXTENSION_TYPE]: { removal: "explicit", removedAfter: [LISTENER_TYPE] },
};

/** The built-in types, followed by those a caller adds. */
export function createRegistry(extra: readonly ResourceType[] = []): Registry {
  return registryOf([...RESOURCE_TYPES, ...extra]);
}

/** The same for delta clients that are told of every removal: a caller's own types stay as the caller made them. */
export function createTellingRegistry(extra: readonly ResourceType[] = []): Registry {
  return registryOf([...RESOURCE_TYPES.map((type) => ({ ...type, ...TOLD[type.typeUrl] })), ...extra]);
}

function registryOf(ordered: readonly ResourceType[]): Registry {
  return { ordered, byTypeUrl: new Map(ordered.map((type) => [type.typeUrl, type])) };
}
