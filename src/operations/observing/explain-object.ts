import type { Kind } from "../../domain/name.ts";
import { linksOf, referrersOf } from "../../domain/references.ts";
import type { Context } from "../context.ts";
import { notFound, readName } from "../object-errors.ts";
import { type Explanation, explanation, type Fact } from "./explanation.ts";

/**
 * What there is to say about an object of any kind: what is wrong with it, what it refers to, what refers to it, and when it
 * was written. @throws ControlPlaneError `notFound`.
 */
export async function explainObject(context: Context, kind: Kind, text: string): Promise<Explanation> {
  const { mirror, nodes } = context;
  const name = readName(kind, text);
  const stored = mirror.stored(kind, name);
  if (stored === undefined) throw notFound(kind, name);
  const { told: refusals } = await nodes.refusals();
  const wrong = [
    ...context.conditions
      .reader()(kind, name)
      .flatMap(({ ok, message }) => (ok ? [] : [message])),
    ...refusals
      .filter(({ objects }) => objects.some((object) => object.kind === kind && object.name === name))
      .map(({ nodeId, message }) => `refused by ${nodeId}: ${message}`),
  ];
  const facts: Fact[] = wrong.map((message) => ["condition", message]);
  for (const one of linksOf(kind, stored.object)) {
    const missing = mirror.get(one.kind, one.name) === undefined ? ", which does not exist" : "";
    facts.push(["refers to", `${one.kind} ${one.name}${missing}`]);
  }
  for (const one of referrersOf(mirror, { kind, name })) facts.push(["referred to by", `${one.kind} ${one.name}`]);
  const { generation, version, owner, updatedAt } = stored.object.meta;
  const by = owner === "" ? "" : `, applied as part of ${owner}`;
  facts.push(["written", `${new Date(updatedAt).toISOString()}, generation ${generation}, revision ${version}${by}`]);
  const [first] = wrong;
  const more = wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : "";
  return explanation(first === undefined ? "nothing is wrong with it" : `${first}${more}`, facts);
}
