import { isGrpcLibrary } from "../domain/grpc-clients.ts";
import type { Name } from "../domain/name.ts";

/**
 * What decides which form of the resources a proxy can take: `leds` for proxies that may be sent single endpoints, `grpc` for
 * programs that call by themselves over a gRPC library, `base` for all others.
 */
export type FeatureLevel = "base" | "leds" | "grpc";

/** Which proxies a derivation is for: all that may differ between them. A value: proxies of equal views get the same. */
export interface View {
  readonly fleet: Name;
  readonly level: FeatureLevel;
}

export const FEATURE_LEVELS: readonly FeatureLevel[] = ["base", "leds", "grpc"];

/** The static cluster under which proxies know the plane; the bootstrap must have it for streams besides ADS. */
export const XDS_CLUSTER = "fairlead-xds";

/** The metadata key by which a proxy says which of its clusters is the plane; `fairlead bootstrap` writes it. */
export const XDS_CLUSTER_KEY = "fairlead-xds-cluster";

/** What a proxy says about itself. */
interface Proxy {
  readonly userAgentName: string;
  /** `1.40.0`. */
  readonly userAgentVersion: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** LEDS needs Envoy 1.40: a changed cluster crashes 1.36 once its endpoints come one by one. */
const LEDS_SINCE = [1, 40] as const;

/** What a proxy supports. One that does not say under which name it knows the plane cannot be told where to ask for members. */
export function featureLevelOf({ userAgentName, userAgentVersion, metadata }: Proxy): FeatureLevel {
  if (isGrpcLibrary(userAgentName)) return "grpc";
  if (userAgentName !== "envoy" || metadata[XDS_CLUSTER_KEY] !== XDS_CLUSTER) return "base";
  const match = /^(\d+)\.(\d+)\./.exec(userAgentVersion);
  if (match === null) return "base";
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major > LEDS_SINCE[0] || (major === LEDS_SINCE[0] && minor >= LEDS_SINCE[1]) ? "leds" : "base";
}
