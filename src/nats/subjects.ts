/** How keys, history copies, journal records and ticks are laid out in the one bucket. */
export interface Subjects {
  readonly stream: string;
  /** Everything in the bucket. */
  readonly all: string;
  /** All that an epoch holds lies below it, so the next epoch can be written beside it before it begins. */
  readonly root: string;
  /** Everything below the root. */
  readonly content: string;
  /** What a mirror listens to: the state, the ticks and the epoch, but no copies and no records. */
  readonly mirrored: readonly string[];
  isMirrored(subject: string): boolean;
  /** Its message says which epoch it is, and where its root is. */
  readonly epoch: string;
  /** The key with which replicas authenticate to each other. It lies beside the state, and so in no backup of it. */
  readonly peerKey: string;
  state(key: string): string;
  history(key: string, slot: number | "*"): string;
  readonly allHistory: string;
  journal(id: string): string;
  tick(slot: number): string;
  isTick(subject: string): boolean;
  /** Marks a root that is not in use: not yet, or not any more. */
  unused(root: string): string;
  /** The key of a state subject; undefined for other subjects. */
  keyOf(subject: string): string | undefined;
  /** Key and slot of a history subject. */
  copyOf(subject: string): { readonly key: string; readonly slot: number };
}

/** The root of a bucket's first epoch. */
export const FIRST_ROOT = "first";

/** @param root A subject token. */
export function subjectsOf(bucket: string, root: string = FIRST_ROOT): Subjects {
  const top = `$KV.${bucket}.`;
  const own = `${top}root.${root}.`;
  const tokens = (key: string) => key.replaceAll("/", ".");
  const keyOfTokens = (text: string) => text.replaceAll(".", "/");
  const stateRoot = `${own}state.`;
  const isTick = (subject: string) => subject.startsWith(`${top}tick.`);
  const historyRoot = `${own}history.`;
  return {
    stream: `KV_${bucket}`,
    all: `${top}>`,
    root,
    content: `${own}>`,
    mirrored: [`${stateRoot}>`, `${top}tick.*`, `${top}epoch`],
    isMirrored: (subject) => subject.startsWith(stateRoot) || isTick(subject) || subject === `${top}epoch`,
    epoch: `${top}epoch`,
    peerKey: `${top}peer-key`,
    state: (key) => stateRoot + tokens(key),
    history: (key, slot) => `${historyRoot}${slot}.${tokens(key)}`,
    allHistory: `${historyRoot}>`,
    journal: (id) => `${own}journal.${id}`,
    tick: (slot) => `${top}tick.${slot}`,
    isTick,
    unused: (name) => `${top}unused.${name}`,
    keyOf: (subject) => (subject.startsWith(stateRoot) ? keyOfTokens(subject.slice(stateRoot.length)) : undefined),
    copyOf: (subject) => {
      const [slot = "", ...key] = subject.slice(historyRoot.length).split(".");
      return { key: keyOfTokens(key.join(".")), slot: Number(slot) };
    },
  };
}
