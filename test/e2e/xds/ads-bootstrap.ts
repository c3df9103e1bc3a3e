/** A bootstrap for Envoy that takes everything from one ADS stream. */
interface BootstrapOptions {
  /** `HOST:PORT` of the management server. */
  readonly xds: string;
  readonly nodeId: string;
  readonly cluster: string;
  readonly protocol?: "delta" | "sotw";
}

export interface Bootstrap {
  readonly dynamic_resources: Readonly<Record<string, object>>;
  readonly [part: string]: object;
}

export function adsBootstrap({ xds, nodeId, cluster, protocol = "delta" }: BootstrapOptions): Bootstrap {
  const separator = xds.lastIndexOf(":");
  const socket = { address: xds.slice(0, separator), port_value: Number(xds.slice(separator + 1)) };
  return {
    node: { id: nodeId, cluster },
    dynamic_resources: {
      ads_config: {
        api_type: protocol === "delta" ? "DELTA_GRPC" : "GRPC",
        transport_api_version: "V3",
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: "xds" } }],
      },
      cds_config: { ads: {}, resource_api_version: "V3" },
      lds_config: { ads: {}, resource_api_version: "V3" },
    },
    static_resources: {
      clusters: [
        {
          name: "xds",
          type: "STATIC",
          connect_timeout: "1s",
          typed_extension_protocol_options: {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: "xds",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: socket } } }] }],
          },
        },
      ],
    },
  };
}
