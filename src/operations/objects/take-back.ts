import type { Mirror } from "../../control/mirror.ts";
import { type Name, type ObjectId, parseStoreKey, storeKey } from "../../domain/name.ts";
import { hasHistory, isApplied, type KindWithHistory } from "../../schema/kinds/registry.ts";
import type { JournalEntry } from "../../store/journal.ts";
import { formatRevision, sameRevision } from "../../store/revision.ts";
import type { Context } from "../context.ts";
import { precondition } from "../object-errors.ts";
import { copiesOf, type Generation } from "./generations.ts";

/** What an object must become to undo a commit. */
export type TakenBack =
  | { readonly to: "content"; readonly kind: KindWithHistory; readonly name: Name; readonly copy: Generation }
  | { readonly to: "nothing"; readonly id: ObjectId };

/**
 * Decides, for each object that a commit wrote, what it was before.
 *
 * @throws ControlPlaneError `precondition` / `CHANGED_SINCE`, `NO_HISTORY`: names all objects that are in the way.
 */
export async function takeBack(context: Context, entry: JournalEntry): Promise<readonly TakenBack[]> {
  const steps: TakenBack[] = [];
  const [changed, unkept]: [string[], string[]] = [[], []];
  const ids = entry.keys.flatMap((key) => parseStoreKey(key) ?? []);
  for (const id of ids) {
    if (!isApplied(id.kind)) continue;
    const step = hasHistory(id.kind)
      ? await stepOf(context, entry, id.kind, id.name)
      : createdThere(context.mirror, entry, id)
        ? ({ to: "nothing", id } as const)
        : "unkept";
    if (step === "changed") changed.push(`${id.kind} ${id.name}`);
    else if (step === "unkept") unkept.push(`${id.kind} ${id.name}`);
    else if (step !== undefined) steps.push(step);
  }
  const revision = formatRevision(entry.revision);
  if (changed.length > 0) {
    const message = `${changed.join(", ")} changed since revision ${revision}; undo that change first, or roll back single objects to a generation`;
    throw precondition("CHANGED_SINCE", message, { objects: changed.join(",") });
  }
  if (unkept.length > 0 || !ids.some(({ kind }) => isApplied(kind))) {
    const what = unkept.length > 0 ? unkept.join(", ") : "verdicts";
    const message = `revision ${revision} wrote ${what}, whose earlier content is not kept; restore that by hand, and roll back the other objects to a generation`;
    throw precondition("NO_HISTORY", message, { objects: unkept.join(",") });
  }
  return steps;
}

async function stepOf(
  context: Context,
  { revision }: JournalEntry,
  kind: KindWithHistory,
  name: Name,
): Promise<TakenBack | "changed" | "unkept" | undefined> {
  const now = context.mirror.stored(kind, name);
  const copies = await copiesOf(context, kind, name);
  if (now === undefined) {
    const [last] = await context.journal.list({ limit: 1, key: storeKey(kind, name) });
    const [copy] = copies;
    if (last === undefined || !sameRevision(last.revision, revision)) return "changed";
    return copy === undefined ? "unkept" : { to: "content", kind, name, copy };
  }
  const written = copies.find((copy) => sameRevision(copy.revision, revision));
  // The commit changed labels or the owner, which are not rolled back.
  if (written === undefined) return sameRevision(now.revision, revision) ? undefined : "changed";
  const { uid, generation } = now.object.meta;
  if (written.message.meta?.uid !== uid || written.generation !== generation) return "changed";
  if (generation === 1) return { to: "nothing", id: { kind, name } };
  const copy = copies.find((one) => one.message.meta?.uid === uid && one.generation === generation - 1);
  return copy === undefined ? "unkept" : { to: "content", kind, name, copy };
}

function createdThere(mirror: Mirror, { revision }: JournalEntry, { kind, name }: ObjectId): boolean {
  const now = mirror.stored(kind, name);
  return now !== undefined && sameRevision(now.revision, revision) && now.object.meta.generation === 1;
}
