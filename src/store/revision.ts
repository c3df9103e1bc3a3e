/**
 * A place in the log. Positions grow with every commit and are comparable within one epoch; an import or a restore begins
 * a new epoch. Clients see it as opaque text.
 */
export interface Revision {
  readonly epoch: number;
  readonly position: number;
}

export function formatRevision({ epoch, position }: Revision): string {
  return `${epoch}.${position}`;
}

/** Undefined for a text that is not a revision. */
export function parseRevision(text: string): Revision | undefined {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(text);
  if (match === null) return undefined;
  return { epoch: Number(match[1]), position: Number(match[2]) };
}

export function sameRevision(a: Revision, b: Revision): boolean {
  return a.epoch === b.epoch && a.position === b.position;
}

/** Whether `a` is at or past `b`. A later epoch is past every position of an earlier one. */
export function reached(a: Revision, b: Revision): boolean {
  return a.epoch > b.epoch || (a.epoch === b.epoch && a.position >= b.position);
}

/** Undefined when there is none. */
export function newestOf(revisions: readonly Revision[]): Revision | undefined {
  return revisions.reduce<Revision | undefined>((a, b) => (a !== undefined && reached(a, b) ? a : b), undefined);
}
