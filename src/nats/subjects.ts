/** How keys, history copies, journal records and ticks are laid out in the one bucket. */
export interface Subjects {
  readonly stream: string;
  /** All of the bucket. */
  readonly all: string;
  /** What a mirror listens to: the state, the ticks and the epoch, but no copies and no records. */
  readonly mirrored: readonly string[];
  readonly epoch: string;
  state(key: string): string;
  history(key: string, slot: number | "*"): string;
  journal(id: string): string;
  tick(slot: number): string;
  /** The key of a state subject; nothing for the others. */
  keyOf(subject: string): string | undefined;
}

export function subjectsOf(bucket: string): Subjects {
  const root = `$KV.${bucket}.`;
  const tokens = (key: string) => key.replaceAll("/", ".");
  const stateRoot = `${root}state.`;
  return {
    stream: `KV_${bucket}`,
    all: `${root}>`,
    mirrored: [`${stateRoot}>`, `${root}tick.*`, `${root}epoch`],
    epoch: `${root}epoch`,
    state: (key) => stateRoot + tokens(key),
    history: (key, slot) => `${root}history.${slot}.${tokens(key)}`,
    journal: (id) => `${root}journal.${id}`,
    tick: (slot) => `${root}tick.${slot}`,
    keyOf: (subject) =>
      subject.startsWith(stateRoot) ? subject.slice(stateRoot.length).replaceAll(".", "/") : undefined,
  };
}
