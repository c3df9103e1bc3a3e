import { isIP } from "node:net";
import { dirname } from "node:path/posix";
import { yamlText } from "./data-text.ts";

/** What differs between the bootstraps of two proxies. */
export interface BootstrapOptions {
  readonly nodeId: string;
  readonly fleet: string;
  /** The planes' addresses; the proxy connects to one of them, and to another when that one is gone. */
  readonly xds: readonly HostPort[];
  /** Path of the Unix socket on which Envoy's own admin page is. */
  readonly adminSocket: string;
  /** State-of-the-world instead of delta xDS. */
  readonly sotw: boolean;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const XDS_CLUSTER = "fairlead-xds";

/** Size of `sun_path` without its final NUL. Envoy does not start with a longer path. */
const MAX_SOCKET_PATH_BYTES = 107;

/** Only Envoy's own user may connect to its admin page. */
const ADMIN_SOCKET_MODE = 0o600;

/**
 * The bootstrap, as YAML, with which a stock Envoy 1.36 or later gets everything else from the plane over one ADS stream.
 *
 * HTTP/2 pings detect a plane that vanished without closing its connection; until then, Envoy keeps what it has.
 */
export function bootstrapYaml(options: BootstrapOptions): string {
  const folder = dirname(options.adminSocket);
  const comment =
    "# Envoy's admin interface listens on a Unix socket, in a directory that only Envoy's user may enter. Make it first:\n" +
    `#   install -d -m 700 '${folder}'\n`;
  return comment + yamlText(buildBootstrap(options));
}

/** Default path of a proxy's admin socket; undefined when the node id cannot be the name of a directory. */
export function defaultAdminSocket(nodeId: string): string | undefined {
  const path = `/run/fairlead/${nodeId}/admin.sock`;
  return /^\w[\w.-]*$/.test(nodeId) && isSocketPath(path) ? path : undefined;
}

/** Whether Envoy accepts the path, and a shell can take it in single quotes on one line. */
export function isSocketPath(path: string): boolean {
  return /^\/[^\p{C}']*[^/\p{C}']$/u.test(path) && Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES;
}

function buildBootstrap(options: BootstrapOptions): object {
  const overAds = { resource_api_version: "V3", ads: {} };
  return {
    // Tells the plane the cluster name to use for itself, for streams besides ADS (LEDS).
    node: { id: options.nodeId, cluster: options.fleet, metadata: { "fairlead-xds-cluster": XDS_CLUSTER } },
    // A TCP port could be reached through a backend that somebody registers with that address.
    admin: { address: { pipe: { path: options.adminSocket, mode: ADMIN_SOCKET_MODE } } },
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

/** Reads `10.0.0.1:18000`, `[2001:db8::1]:18000` or `plane.example:18000`; undefined for any other form. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

function socketAddress({ host, port }: HostPort): object {
  return { socket_address: { address: host, port_value: port } };
}
