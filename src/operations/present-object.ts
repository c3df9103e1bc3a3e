import type { Kind, Name } from "../domain/name.ts";
import { cloneMessage, type MessageOf } from "../schema/object-message.ts";
import type { Context } from "./context.ts";

/** Reads stored objects and fills in what is derived about them; nothing for one that is not there. */
export function presenter({ mirror }: Context): <K extends Kind>(kind: K, name: Name) => MessageOf[K] | undefined {
  return (kind, name) => {
    const stored = mirror.stored(kind, name);
    return stored === undefined ? undefined : cloneMessage(kind, stored.message);
  };
}
