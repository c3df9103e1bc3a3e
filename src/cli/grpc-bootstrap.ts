import type { HostPort } from "./bootstrap-config.ts";

/** What differs between the bootstraps of two programs. */
export interface GrpcBootstrapOptions {
  readonly nodeId: string;
  readonly fleet: string;
  readonly xds: readonly HostPort[];
  readonly locality: GrpcLocality | undefined;
}

export interface GrpcLocality {
  readonly region: string;
  readonly zone?: string;
  readonly sub_zone?: string;
}

/**
 * The bootstrap that gRPC libraries read from GRPC_XDS_BOOTSTRAP or GRPC_XDS_BOOTSTRAP_CONFIG. Libraries that know fallback go
 * to the next plane when one cannot be reached, the others know the first only. grpc-js refuses a node without a locality.
 */
export function grpcBootstrap({ nodeId, fleet, xds, locality }: GrpcBootstrapOptions): object {
  return {
    xds_servers: xds.map(({ host, port }) => ({
      server_uri: `${host.includes(":") ? `[${host}]` : host}:${port}`,
      channel_creds: [{ type: "insecure" }],
      server_features: ["xds_v3"],
    })),
    node: { id: nodeId, cluster: fleet, locality: locality ?? {} },
  };
}

/** Reads `eu`, `eu/a` or `eu/a/rack-1`; undefined for any other form. */
export function parseLocality(text: string): GrpcLocality | undefined {
  const [region = "", zone, subZone, ...more] = text.split("/");
  if (more.length > 0 || [region, zone, subZone].includes("")) return undefined;
  return { region, ...(zone !== undefined && { zone }), ...(subZone !== undefined && { sub_zone: subZone }) };
}
