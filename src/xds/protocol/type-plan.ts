import type { Report } from "./events.ts";
import type { Resource, ResourceKey } from "./resource.ts";
import type { ReadonlySparseMap } from "./sparse.ts";

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

/** What will become of everything due of one type, as data: nothing has been changed yet. */
export type TypePlan = {
  readonly upserts: readonly Resource[];
  readonly removals: readonly string[];
  /** Removed although they should exist, so that another one gets their address; they come back with the next response. */
  readonly displaced: readonly string[];
  /** Names that turn out to need nothing. */
  readonly settled: readonly string[];
  /** Presented resources that turn out to be what the client should have: from now on their content is known. */
  readonly adopted: readonly { readonly name: string; readonly resource: Resource }[];
  /**
   * Names asked for by alias: they become due under the resource's own name, which by itself may need nothing. What goes
   * is planned only after that.
   */
  readonly renamed: readonly { readonly from: string; readonly to: string; readonly isSettled: boolean }[];
  /** Kept back on purpose, each with the reason. */
  readonly held: ReadonlySparseMap<string>;
  /** Waits that begin or go on, and those that have reached their bound. */
  readonly waits: ReadonlySparseMap<Wait>;
  readonly reports: readonly Report[];
  /** When time alone changes the plan. */
  readonly wakeAt: number;
};

/** What becomes of refused resources that are due. */
export type Retrial = {
  /** Names whose refused response has not changed: they are not due. */
  readonly settled: readonly string[];
  /** Names that are no longer refused; those that were not due now are. */
  readonly again: readonly { readonly name: string; readonly isDue: boolean }[];
};

/** What leaves under a plan, and what does not although it is due: it is held, or waits for another resource. */
export type Leaving = Pick<TypePlan, "upserts" | "removals" | "displaced"> & { readonly kept: ReadonlySet<string> };
