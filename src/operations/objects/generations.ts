import { readRecord } from "../../control/stored-record.ts";
import { type Name, storeKey } from "../../domain/name.ts";
import { KINDS_WITH_HISTORY, type KindWithHistory, type MessageOf } from "../../schema/kinds/registry.ts";
import type { Revision } from "../../store/revision.ts";
import type { Context } from "../context.ts";
import { badField } from "../object-errors.ts";

export interface Generation<K extends KindWithHistory = KindWithHistory> {
  readonly generation: number;
  readonly message: MessageOf[K];
  readonly revision: Revision;
}

export function readKindWithHistory(text: string): KindWithHistory {
  const kind = KINDS_WITH_HISTORY.find((known) => known === text);
  if (kind !== undefined) return kind;
  throw badField("kind", `must be one of ${KINDS_WITH_HISTORY.join(", ")}, not "${text}"`);
}

/**
 * The kept generations, newest first. Of an object that exists, only its own: the copies of an earlier one of the same name,
 * which its first generations overwrite one by one, are skipped. Of a deleted object, those of its last life.
 */
export async function generationsOf<K extends KindWithHistory>(
  context: Context,
  kind: K,
  name: Name,
): Promise<readonly Generation<K>[]> {
  const copies = await copiesOf(context, kind, name);
  const uid = context.mirror.get(kind, name)?.meta.uid ?? copies[0]?.message.meta?.uid;
  return copies.filter(({ message }) => message.meta?.uid === uid).toSorted((a, b) => b.generation - a.generation);
}

/** All copies that are kept under a name, whichever object they belong to, the last written first. */
export async function copiesOf<K extends KindWithHistory>(
  { store }: Pick<Context, "store">,
  kind: K,
  name: Name,
): Promise<readonly Generation<K>[]> {
  const key = storeKey(kind, name);
  const copies = (await store.history(key)).flatMap(({ generation, value, revision }): Generation<K>[] => {
    const { content } = readRecord(key, value, revision);
    // A copy that cannot be read counts as not kept.
    if (content?.is !== "object") return [];
    return [{ generation, message: content.stored.message as MessageOf[K], revision }];
  });
  return copies.sort((a, b) => b.revision.epoch - a.revision.epoch || b.revision.position - a.revision.position);
}
