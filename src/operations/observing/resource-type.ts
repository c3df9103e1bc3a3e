import { RESOURCE_TYPES } from "../../xds/protocol/resource-types.ts";
import { badField } from "../object-errors.ts";

/** The type URL of a resource type that a request names by its short name or by its URL; undefined if it names none. */
export function readResourceType(text: string): string | undefined {
  if (text === "") return undefined;
  const found = RESOURCE_TYPES.find(({ shortName, typeUrl }) => shortName === text.toUpperCase() || typeUrl === text);
  if (found !== undefined) return found.typeUrl;
  const known = RESOURCE_TYPES.map(({ shortName }) => shortName).join(", ");
  throw badField("type", `must be one of ${known}, or a type URL of these, not "${text}"`);
}
