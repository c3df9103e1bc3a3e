/** What the bucket's epoch message says. */
export interface EpochMark {
  readonly epoch: number;
  /** Where the state lies from here on. */
  readonly root: string;
}

export function formatEpochMark({ epoch, root }: EpochMark): string {
  return `${epoch} ${root}`;
}

export function parseEpochMark(text: string): EpochMark {
  const [epoch, root] = text.split(" ");
  if (!Number.isSafeInteger(Number(epoch)) || root === undefined) throw new Error(`no epoch: "${text}"`);
  return { epoch: Number(epoch), root };
}
