import type { DescMessage } from "@bufbuild/protobuf";
import { ClusterSchema } from "../../gen/envoy/config/cluster/v3/cluster_pb.ts";
import { TypedExtensionConfigSchema } from "../../gen/envoy/config/core/v3/extension_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "../../gen/envoy/config/listener/v3/listener_pb.ts";
import { VirtualHostSchema } from "../../gen/envoy/config/route/v3/route_components_pb.ts";
import { RouteConfigurationSchema } from "../../gen/envoy/config/route/v3/route_pb.ts";
import { ScopedRouteConfigurationSchema } from "../../gen/envoy/config/route/v3/scoped_route_pb.ts";
import { SecretSchema } from "../../gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import { RuntimeSchema } from "../../gen/envoy/service/runtime/v3/rtds_pb.ts";

/** The messages that xDS serves, by type name, each with the field that names a resource. */
export const SERVED_MESSAGES: ReadonlyMap<string, { schema: DescMessage; nameField: string }> = new Map(
  [
    ClusterSchema,
    ClusterLoadAssignmentSchema,
    ListenerSchema,
    RouteConfigurationSchema,
    ScopedRouteConfigurationSchema,
    VirtualHostSchema,
    SecretSchema,
    RuntimeSchema,
    TypedExtensionConfigSchema,
  ].map((schema: DescMessage) => {
    const nameField = schema === ClusterLoadAssignmentSchema ? "clusterName" : "name";
    return [schema.typeName, { schema, nameField }];
  }),
);
