/** The root of a bucket's first epoch. */
export const FIRST_ROOT = "first";

export type Subjects = ReturnType<typeof subjectsOf>;

/**
 * How keys, history copies, journal entries and ticks are laid out in the one bucket.
 *
 * @param root A subject token. All that an epoch holds lies below it, so the next epoch can be written beside it before it
 * begins.
 */
export function subjectsOf(bucket: string, root: string = FIRST_ROOT) {
  const top = `$KV.${bucket}.`;
  const own = `${top}root.${root}.`;
  const epoch = `${top}epoch`;
  const stateRoot = `${own}state.`;
  const historyRoot = `${own}history.`;
  const tokens = (key: string) => key.replaceAll("/", ".");
  const keyOfTokens = (text: string) => text.replaceAll(".", "/");
  const isTick = (subject: string) => subject.startsWith(`${top}tick.`);
  return {
    stream: `KV_${bucket}`,
    /** Everything in the bucket. */
    all: `${top}>`,
    root,
    /** Everything below the root. */
    content: `${own}>`,
    /** What a mirror listens to: the state, the ticks and the epoch, but no copies and no journal entries. */
    mirrored: [`${stateRoot}>`, `${top}tick.*`, epoch],
    isMirrored: (subject: string) => subject.startsWith(stateRoot) || isTick(subject) || subject === epoch,
    /** Its message says which epoch it is, and where its root is. */
    epoch,
    /** The key with which replicas authenticate to each other. It lies beside the state, and so in no backup of it. */
    peerKey: `${top}peer-key`,
    state: (key: string) => stateRoot + tokens(key),
    history: (key: string, slot: number | "*") => `${historyRoot}${slot}.${tokens(key)}`,
    allHistory: `${historyRoot}>`,
    journal: (id: string) => `${own}journal.${id}`,
    tick: (slot: number) => `${top}tick.${slot}`,
    isTick,
    /** Marks a root that is not in use: not yet, or not any more. */
    unused: (name: string) => `${top}unused.${name}`,
    /** The key of a state subject; undefined for other subjects. */
    keyOf: (subject: string) =>
      subject.startsWith(stateRoot) ? keyOfTokens(subject.slice(stateRoot.length)) : undefined,
    /** Key and slot of a history subject. */
    copyOf: (subject: string) => {
      const [slot = "", ...key] = subject.slice(historyRoot.length).split(".");
      return { key: keyOfTokens(key.join(".")), slot: Number(slot) };
    },
  } as const;
}
