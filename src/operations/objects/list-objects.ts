import { toBinary } from "@bufbuild/protobuf";
import { isBelowService, KINDS, type Kind, type Name, pluralOf } from "../../domain/name.ts";
import type { State } from "../../domain/state.ts";
import type { ListRequest } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import type { MessageOf } from "../../schema/kinds/registry.ts";
import { descriptorOf } from "../../schema/object-message.ts";
import type { Context } from "../context.ts";
import { badField, notFound, readName } from "../object-errors.ts";
import { withParts } from "../writing/plan-removal.ts";
import { type Page, pageOf } from "./page.ts";
import { presenter } from "./present-object.ts";

/** The objects of a kind, in the order of their names, page by page, with what is derived about them. */
export async function listObjects<K extends Kind>(
  context: Context,
  kind: K,
  { pageSize, pageToken, service, labels }: Omit<ListRequest, "$typeName">,
): Promise<Page<MessageOf[K]>> {
  const { mirror } = context;
  const wanted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  const present = await presenter(context);
  return pageOf(
    [...candidates(mirror, kind, service)].filter((name) => {
      const own = mirror.get(kind, name)?.meta.labels ?? {};
      return wanted.every(([key, value]) => own[key] === value);
    }),
    { pageSize, pageToken },
    {
      filter: JSON.stringify([kind, service, wanted]),
      read: (name) => present(kind, name) as MessageOf[K],
      bytes: (message) => toBinary(descriptorOf(kind), message).byteLength,
    },
  );
}

function* candidates(state: State, kind: Kind, service: string): Iterable<Name> {
  if (service === "") {
    for (const { name } of state.all(kind)) yield name;
    return;
  }
  if (!isBelowService(kind)) {
    const known = KINDS.filter(isBelowService).map(pluralOf);
    throw badField("service", `can be given for ${known.join(" and ")} only`);
  }
  const name = readName("service", service, "service");
  if (state.get("service", name) === undefined) throw notFound("service", name);
  for (const part of withParts(state, { kind: "service", name })) if (part.kind === kind) yield part.name;
}
