/** How bad it is: a service has nobody to serve it; something does not work as it should; to be put right some time. */
export type Severity = "down" | "degraded" | "notice";

/** Something that a person on call should look at. */
export interface Finding {
  /** `service pay: checks stale`. */
  readonly what: string;
  /** Milliseconds since the epoch: when it began. */
  readonly since: number | undefined;
  /** It was so when this replica began to look, or when the proxy came, and may be older. */
  readonly atLeast?: boolean;
  readonly why: string;
  /** Default: `degraded`. */
  readonly severity?: Severity;
}
