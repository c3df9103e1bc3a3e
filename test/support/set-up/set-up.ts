import type { CommandResult } from "../plane.ts";

export const SERVERS = ["n1", "n2", "n3"] as const;
export const PLANES = ["plane-a", "plane-b"] as const;
export const EDGES = ["edge-1", "edge-2"] as const;
export const SHOPS = ["shop-1", "shop-2"] as const;

type PlaneName = (typeof PLANES)[number];
export type Part = (typeof SERVERS)[number] | PlaneName;

/** The set-up of `compose/`: three NATS servers with TLS, nkeys and permissions, two planes, two Envoys, two backends. */
export interface SetUp extends AsyncDisposable {
  /** Where the listener `web` of each edge answers. */
  readonly urls: readonly string[];
  /** The manifest of the shop, `compose/shop.yaml`, with the addresses of this set-up. */
  readonly shop: string;
  /** Runs `fairlead ARGS` against one of the planes. */
  cli(plane: PlaneName, args: readonly string[], input?: string): Promise<CommandResult>;
  /** As a power cut would. */
  kill(part: Part): Promise<void>;
  /** Starts it again with what it had stored. */
  start(part: Part): Promise<void>;
  /** The last lines of everybody's log. */
  logs(): string;
}
