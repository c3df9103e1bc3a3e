/** How bad it is: no backend may serve a service; something does not work as it should; it can be put right some time. */
export type Severity = "down" | "degraded" | "notice";

/** Something that a person on call should look at. */
export interface Finding {
  /** `service pay: checks stale`. */
  readonly what: string;
  /** Milliseconds since the epoch: when it began. */
  readonly since: number | undefined;
  /** It was already so when this replica began to look, or when the proxy connected, and may be older. */
  readonly atLeast?: boolean;
  readonly why: string;
  /** Default: `degraded`. */
  readonly severity?: Severity;
}
