import { RESOURCE_TYPES } from "../xds/server/library.ts";

const OTHER = "other";

/** The values of the label `type` of metrics. */
export const TYPE_LABELS: readonly string[] = [...RESOURCE_TYPES.map(({ shortName }) => shortName), OTHER];

export function typeLabel(typeUrl: string): string {
  return RESOURCE_TYPES.find((type) => type.typeUrl === typeUrl)?.shortName ?? OTHER;
}
