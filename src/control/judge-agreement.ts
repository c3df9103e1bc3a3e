import { formatRevision, type Revision } from "../store/revision.ts";

/** What two replicas hold at the same revision, the newest one that could be compared. */
export interface Comparison {
  readonly replica: string;
  readonly revision: Revision;
  readonly own: string;
  readonly other: string;
}

/** How this replica compares with those that share the log. Equal logs lead to equal state, so any difference is a fault. */
export type Agreement =
  | { readonly kind: "agreed" }
  /**
   * `majority`: others differ, but most agree with this one, which goes on. `minority`: most hold another state, and this one
   * must not serve what it holds. `divided`: no side has a majority, and nobody knows which state is right.
   */
  | { readonly kind: "majority" | "minority" | "divided"; readonly differing: readonly Comparison[] };

/** At most one side of a difference goes on, whichever replica judges: only one side can be more than half of all. */
export function judgeAgreement(comparisons: readonly Comparison[]): Agreement {
  const differing = comparisons.filter(({ own, other }) => own !== other);
  if (differing.length === 0) return { kind: "agreed" };
  const all = comparisons.length + 1;
  if ((all - differing.length) * 2 > all) return { kind: "majority", differing };
  return { kind: largestSide(differing) * 2 > all ? "minority" : "divided", differing };
}

/** The largest number of replicas that hold the same state at the same revision. */
function largestSide(differing: readonly Comparison[]): number {
  const sides = Map.groupBy(differing, ({ revision, other }) => `${formatRevision(revision)} ${other}`);
  return Math.max(...[...sides.values()].map((side) => side.length));
}

/** For example `at revision 1.50 the state here has digest a1b2, on plane-3 c3d4`. */
export function differenceText(differing: readonly Comparison[]): string {
  return differing
    .map(({ replica, revision, own, other }) => {
      return `at revision ${formatRevision(revision)} the state here has digest ${own}, on ${replica} ${other}`;
    })
    .join("; ");
}
