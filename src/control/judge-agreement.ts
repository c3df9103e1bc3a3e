import { formatRevision, type Revision } from "../store/revision.ts";

/** What two replicas hold at the same revision: the newest that could be compared. */
export interface Comparison {
  readonly replica: string;
  readonly revision: Revision;
  readonly own: string;
  readonly other: string;
}

/** How this replica stands among those that share the log. Equal logs lead to equal state, so that any difference is a fault. */
export type Agreement =
  | { readonly kind: "agreed" }
  /** Others differ, and most are as this one: it goes on. */
  | { readonly kind: "majority"; readonly differing: readonly Comparison[] }
  /** Most differ: this one must not serve what it holds. */
  | { readonly kind: "minority"; readonly differing: readonly Comparison[] }
  /** No side has most: nobody knows which state is right. */
  | { readonly kind: "divided"; readonly differing: readonly Comparison[] };

/** At most one side of a difference goes on, whichever replicas judge: only one can be more than half of all. */
export function judgeAgreement(comparisons: readonly Comparison[]): Agreement {
  const differing = comparisons.filter(({ own, other }) => own !== other);
  if (differing.length === 0) return { kind: "agreed" };
  const all = comparisons.length + 1;
  if ((all - differing.length) * 2 > all) return { kind: "majority", differing };
  return { kind: largestSide(differing) * 2 > all ? "minority" : "divided", differing };
}

/** How many of them say the same, as far as they speak of the same revision. */
function largestSide(differing: readonly Comparison[]): number {
  const sides = Map.groupBy(differing, ({ revision, other }) => `${formatRevision(revision)} ${other}`);
  return Math.max(...[...sides.values()].map((side) => side.length));
}

/** `at revision 1.50 this replica's state is a1b2, plane-3's is c3d4`. */
export function differenceText(differing: readonly Comparison[]): string {
  return differing
    .map(({ replica, revision, own, other }) => {
      return `at revision ${formatRevision(revision)} the state here has digest ${own}, on ${replica} ${other}`;
    })
    .join("; ");
}
