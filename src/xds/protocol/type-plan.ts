import type { Report } from "./events.ts";
import type { Reading } from "./reading.ts";
import type { Resource, ResourceKey } from "./resource.ts";
import { SparseMap } from "./sparse.ts";

/** What keeps back the resource waited for: only `progress` ends by itself, and has a bound. */
export type WaitCause = "progress" | "held" | "refused";

/** Why a due resource goes out only after another one. */
export type Wait = {
  readonly on: ResourceKey;
  readonly cause: WaitCause;
  /** When its bound started to count. */
  readonly since: number;
  readonly late: boolean;
};

const NO_NAMES: readonly string[] = [];

/** A plan in the making. */
export class Draft {
  upserts: Resource[] = [];
  removals = NO_NAMES;
  /** Removed although they should exist, so that another one gets their address; they come back with the next response. */
  displaced = NO_NAMES;
  /** Names that turn out to need nothing; with a resource where the client presented it, and its content is known only now. */
  readonly settled = new SparseMap<Resource | undefined>();
  /** Aliases that were asked for, with the resource's own name, under which it becomes due. What goes is planned only then. */
  readonly renamed = new SparseMap<string>();
  /** Kept back on purpose, each with the reason. */
  readonly held = new SparseMap<string>();
  /** Waits that begin or go on, and those that have reached their bound. */
  readonly waits = new SparseMap<Wait>();
  readonly reports: Report[] = [];
  /** When time alone changes the plan. */
  wakeAt = Infinity;
}

/** What will become of everything due of one type, as data: nothing has been changed yet. */
export type TypePlan = Reading<Draft>;

/** What leaves under a plan, and what does not although it is due: it is held, or waits for another resource. */
export type Leaving = Pick<TypePlan, "upserts" | "removals" | "displaced"> & { readonly kept: ReadonlySet<string> };
