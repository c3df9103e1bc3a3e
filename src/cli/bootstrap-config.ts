import { isIP } from "node:net";
import { yamlText } from "./data-text.ts";

/** What differs between the bootstraps of two proxies. */
export interface BootstrapOptions {
  readonly nodeId: string;
  readonly fleet: string;
  /** Of the planes; the proxy is connected to one of them, and takes another when that one is gone. */
  readonly xds: readonly HostPort[];
  /** Port of Envoy's own admin page, on loopback. */
  readonly adminPort: number;
  /** State-of-the-world instead of delta xDS. */
  readonly sotw: boolean;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const XDS_CLUSTER = "fairlead-xds";

/**
 * The bootstrap, as YAML, with which a stock Envoy, 1.36 or later, takes all else from the plane over one ADS stream.
 *
 * HTTP/2 pings find a plane that vanished without closing its connection; meanwhile Envoy keeps what it has.
 */
export function bootstrapYaml(options: BootstrapOptions): string {
  return yamlText(buildBootstrap(options));
}

function buildBootstrap(options: BootstrapOptions): object {
  const overAds = { resource_api_version: "V3", ads: {} };
  return {
    // It tells the plane by which name to refer to itself, for streams besides ADS (LEDS).
    node: { id: options.nodeId, cluster: options.fleet, metadata: { "fairlead-xds-cluster": XDS_CLUSTER } },
    admin: { address: socketAddress({ host: "127.0.0.1", port: options.adminPort }) },
    dynamic_resources: {
      ads_config: {
        api_type: options.sotw ? "GRPC" : "DELTA_GRPC",
        transport_api_version: "V3",
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: XDS_CLUSTER } }],
      },
      cds_config: overAds,
      lds_config: overAds,
    },
    static_resources: {
      clusters: [
        {
          name: XDS_CLUSTER,
          type: options.xds.every(({ host }) => isIP(host) > 0) ? "STATIC" : "STRICT_DNS",
          connect_timeout: "5s",
          typed_extension_protocol_options: {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
              explicit_http_config: {
                http2_protocol_options: { connection_keepalive: { interval: "30s", timeout: "5s" } },
              },
            },
          },
          load_assignment: {
            cluster_name: XDS_CLUSTER,
            endpoints: [
              { lb_endpoints: options.xds.map((plane) => ({ endpoint: { address: socketAddress(plane) } })) },
            ],
          },
        },
      ],
    },
  };
}

/** Reads `10.0.0.1:18000`, `[2001:db8::1]:18000` or `plane.example:18000`; nothing when it is none of these. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

function socketAddress({ host, port }: HostPort): object {
  return { socket_address: { address: host, port_value: port } };
}
