import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { FilterConfigSchema } from "../../gen/envoy/config/route/v3/route_components_pb.ts";
import { typeUrlOf } from "../protocol/resource-types.ts";
import { type Finding, refused } from "./proxyless-problem.ts";

const FILTERS = typeUrlOf("envoy.extensions.filters.http.");
const FAULT = `${FILTERS}fault.v3.HTTPFault`;

export const ROUTER = `${FILTERS}router.v3.Router`;
/** The HTTP filters that gRPC libraries know. */
export const KNOWN_FILTERS: ReadonlySet<string> = new Set([ROUTER, FAULT, `${FILTERS}rbac.v3.RBAC`]);
const KNOWN_OVERRIDES: ReadonlySet<string> = new Set([FAULT, `${FILTERS}rbac.v3.RBACPerRoute`]);

/** What a proxyless client finds wrong with the settings of filters that a route, a host or a cluster of a route has. */
export function overrideProblems(field: string, overrides: Readonly<Record<string, Any>>): Finding[] {
  return Object.entries(overrides).flatMap(([name, any]) => {
    const wrapped = anyUnpack(any, FilterConfigSchema);
    const typeUrl = wrapped ? wrapped.config?.typeUrl : any.typeUrl;
    if (KNOWN_OVERRIDES.has(typeUrl ?? "") || wrapped?.isOptional === true) return [];
    const why = `The filter ${name} is not known to gRPC; wrap its settings in an optional FilterConfig, or leave them out.`;
    return [refused(`${field}.typed_per_filter_config[${name}]`, "filter_unknown", why)];
  });
}
