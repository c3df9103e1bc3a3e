import type { Kind } from "../../domain/name.ts";
import { linksOf, referrersOf } from "../../domain/references.ts";
import type { Explanation } from "../../gen/fairlead/admin/v1/explain_pb.ts";
import type { Condition } from "../../gen/fairlead/admin/v1/meta_pb.ts";
import type { Context } from "../context.ts";
import { notFound, readName } from "../object-errors.ts";
import { presenter } from "../objects/present-object.ts";
import { explanation, type Fact } from "./explanation.ts";

/**
 * What there is to say about an object of any kind: what is wrong with it, what it refers to, what refers to it, and who
 * wrote it last. @throws ControlPlaneError `notFound`.
 */
export async function explainObject(context: Context, kind: Kind, text: string): Promise<Explanation> {
  const { mirror } = context;
  const name = readName(kind, text);
  const stored = mirror.stored(kind, name);
  if (stored === undefined) throw notFound(kind, name);
  const message = (await presenter(context))(kind, name);
  const { conditions = [] } = (message ?? {}) as { readonly conditions?: readonly Condition[] };
  const wrong = conditions.filter(({ ok }) => !ok);
  const { generation, version, owner, updatedAt } = stored.object.meta;
  const facts: Fact[] = wrong.map(({ message }) => ["condition", message]);
  for (const one of linksOf(kind, stored.object)) {
    facts.push([
      "refers to",
      `${one.kind} ${one.name}${mirror.get(one.kind, one.name) === undefined ? ", which does not exist" : ""}`,
    ]);
  }
  for (const one of referrersOf(mirror, { kind, name })) facts.push(["referred to by", `${one.kind} ${one.name}`]);
  const by = owner === "" ? "" : `, applied as part of ${owner}`;
  facts.push(["written", `${new Date(updatedAt).toISOString()}, generation ${generation}, revision ${version}${by}`]);
  const [first] = wrong;
  const more = wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : "";
  return explanation(first === undefined ? "nothing is wrong with it" : `${first.message}${more}`, facts);
}
