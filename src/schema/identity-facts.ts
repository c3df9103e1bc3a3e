import { ANNOTATIONS, LABELS } from "../domain/limits.ts";
import type { Kind } from "../domain/name.ts";
import type { Fact } from "./facts.ts";
import { nameOf } from "./text-forms.ts";

/** What every object carries, and its own name. Meta is the plane's own, so nothing is said of it. */
export function identityFacts(kind: Kind) {
  return {
    name: { required: true, text: nameOf(kind) },
    labels: { entries: LABELS },
    annotations: { entries: ANNOTATIONS },
  } as const satisfies Readonly<Record<string, Fact>>;
}
