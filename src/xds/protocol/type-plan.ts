import type { Report } from "./events.ts";
import type { Resource, ResourceKey } from "./resource.ts";
import type { ReadonlySparseMap } from "./sparse.ts";

/** What keeps back what is waited for: only `progress` comes to an end by itself, and has a bound. */
export type WaitCause = "progress" | "held" | "refused";

/** A resource that is due goes out after another one. */
export type Wait = {
  readonly on: ResourceKey;
  readonly cause: WaitCause;
  /** Since when its bound counts. */
  readonly since: number;
  readonly late: boolean;
};

/** What is to become of all that is due of one type, as data: it has changed nothing yet. */
export type TypePlan = {
  readonly upserts: readonly Resource[];
  readonly removals: readonly string[];
  /** Removed although they are to be there, so that another one gets their address; they come with the next response. */
  readonly displaced: readonly string[];
  /** They turn out to need nothing. */
  readonly settled: readonly string[];
  /** What the client presented turns out to be what it should have: from now on its content is known. */
  readonly adopted: readonly { readonly name: string; readonly resource: Resource }[];
  /**
   * Asked for by alias: they are due under the resource's own name, which by itself may need nothing. What goes is planned
   * once they are.
   */
  readonly renamed: readonly { readonly from: string; readonly to: string; readonly isSettled: boolean }[];
  /** Kept back on purpose, each with the reason. */
  readonly held: ReadonlySparseMap<string>;
  /** Waits that begin or go on, and those that have met their bound. */
  readonly waits: ReadonlySparseMap<Wait>;
  readonly reports: readonly Report[];
  /** When time alone changes the plan. */
  readonly wakeAt: number;
};

/** What becomes of refused resources that are due. */
export type Retrial = {
  /** Nothing of their refusal has changed: they are not due. */
  readonly settled: readonly string[];
  /** Refused no longer; those that were not due are now. */
  readonly again: readonly { readonly name: string; readonly isDue: boolean }[];
};

/** What goes out of a plan, and what does not although it is due: held, or waiting for another resource. */
export type Leaving = Pick<TypePlan, "upserts" | "removals" | "displaced"> & { readonly kept: ReadonlySet<string> };
