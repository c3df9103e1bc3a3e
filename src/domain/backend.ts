import type { Identified } from "./meta.ts";

export type Target =
  | { readonly kind: "address"; readonly ip: string; readonly port: number }
  | { readonly kind: "pipe"; readonly path: string };

export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
}

/** One member of a service. */
export interface Backend extends Identified {
  readonly target: Target;
  readonly weight: number;
  readonly locality: Locality;
  /** 0 is used first. */
  readonly priority: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** The port that health checks go to, where it is not the target's. */
  readonly checkPort: number | undefined;
  readonly state: "ACTIVE" | "DRAINING";
  /** When the drain began; only while DRAINING. */
  readonly drainedAt: number | undefined;
}

/** What a backend gets by default. */
export const DEFAULT_BACKEND = { weight: 1, priority: 0, state: "ACTIVE" } as const satisfies Partial<Backend>;

/** The target as people write it: `10.0.4.7:9001`, `[2001:db8::1]:9001`, a path. Equal text means the same target. */
export function targetText(target: Target): string {
  return target.kind === "pipe" ? target.path : addressText(target);
}

export function addressText({ ip, port }: { readonly ip: string; readonly port: number }): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}
