import type { LastHeld } from "../domain/presence.ts";
import { printableStart } from "../domain/printable.ts";
import { formatRevision } from "../store/revision.ts";
import type { ToldNode, ToldType } from "./node-directory.ts";

const MAX_TYPES = 16;
const MAX_REFUSALS = 2;
const MAX_NAME_LENGTH = 100;
const MAX_MESSAGE_LENGTH = 300;

/** What is worth remembering of a proxy whose stream has ended; undefined where nobody knows what it had. */
export function lastHeld({ types, settled }: Pick<ToldNode, "types" | "settled">): LastHeld | undefined {
  if (types.length === 0) return undefined;
  return {
    settled: settled === undefined ? "" : formatRevision(settled),
    types: types.slice(0, MAX_TYPES).map(({ typeUrl, shortName, state, known, refused, refusals }) => ({
      typeUrl,
      shortName,
      state,
      known,
      refused,
      refusals: refusals.slice(0, MAX_REFUSALS).map(({ name, message }) => ({
        name: printableStart(name, MAX_NAME_LENGTH),
        message: printableStart(message, MAX_MESSAGE_LENGTH),
      })),
    })),
  };
}

/** The same as the directory tells it. */
export function typesOf(last: LastHeld | undefined): readonly ToldType[] {
  return (last?.types ?? []).map((type) => ({ ...type, resources: [], missing: [] }));
}
