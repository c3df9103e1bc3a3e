/** Something that a person on call should look at. */
export interface Finding {
  /** `service pay: checks stale`. */
  readonly what: string;
  /** Milliseconds since the epoch. */
  readonly since: number | undefined;
  readonly why: string;
}
