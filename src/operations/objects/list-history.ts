import { storeKey } from "../../domain/name.ts";
import type { ListHistoryRequest } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { formatRevision, sameRevision } from "../../store/revision.ts";
import type { Context } from "../context.ts";
import { notFound, readName } from "../object-errors.ts";
import { givenRequestId } from "../writing/request-record.ts";
import { anyObject } from "./any-object.ts";
import { type Generation, generationsOf, readKindWithHistory } from "./generations.ts";

/** How many of an object's writes are searched for the causes of its generations; only the newest change its spec. */
const JOURNAL_DEPTH = 200;

/** The generations of an object that are kept, newest first, each with its author and reason. */
export async function listHistory(
  context: Context,
  { kind: kindText, name: nameText }: Omit<ListHistoryRequest, "$typeName">,
) {
  const kind = readKindWithHistory(kindText);
  const name = readName(kind, nameText);
  const [generations, journal] = await Promise.all([
    generationsOf(context, kind, name),
    context.journal.list({ limit: JOURNAL_DEPTH, key: storeKey(kind, name) }),
  ]);
  if (generations.length === 0) throw notFound(kind, name);
  return generations.map(({ generation, message, revision }: Generation) => {
    const cause = journal.find((entry) => sameRevision(entry.revision, revision));
    return {
      generation: BigInt(generation),
      revision: formatRevision(revision),
      ...(message.meta?.updateTime === undefined ? {} : { time: message.meta.updateTime }),
      actor: cause?.actor ?? "",
      reason: cause?.reason ?? "",
      requestId: givenRequestId(cause?.requestId ?? ""),
      object: anyObject(kind, message),
    };
  });
}
