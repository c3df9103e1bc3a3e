import type { ResourceKey, Served } from "./resource.ts";
import type { StreamSettings } from "./stream-settings.ts";
import type { TypeReading, TypeReadings } from "./type-state.ts";

/** Why something must be kept back from this client, or undefined. `version` is empty for a removal. */
export type Hold = (resource: ResourceKey, version: string) => string | undefined;

/** Everything that one flush bases its decisions on. */
export type FlushContext = {
  readonly settings: StreamSettings;
  readonly states: TypeReadings;
  readonly served: Served;
  readonly now: number;
  readonly hold: Hold;
};

/** Whether a response may hold only a part of what is due. */
export function mayDivide({ settings: { variant } }: FlushContext, { type }: TypeReading): boolean {
  return variant === "delta" || !type.fullSet;
}
