/** What an error means to the caller. A closed set: `api/error-table.ts` says what each is to a client. */
export type ErrorKind =
  | "invalid"
  | "notFound"
  | "exists"
  | "conflict"
  | "precondition"
  | "unauthenticated"
  | "denied"
  | "exhausted"
  | "unavailable"
  | "timeout"
  | "cancelled"
  | "corrupt"
  | "bug";

/** One bad field: where, what was wrong, and what would be right. */
export interface Violation {
  /** As the user writes it: `rules[0].match.path.prefix`. */
  readonly field: string;
  readonly message: string;
}

/** What was read from something given, or all that is wrong with that. */
export type Checked<Read> =
  | ({ readonly ok: true } & Read)
  | { readonly ok: false; readonly violations: readonly Violation[] };

export interface ErrorOptions {
  readonly kind: ErrorKind;
  /** Stable, upper case, for programs: `BACKEND_NOT_FOUND`. */
  readonly code: string;
  /** For people: names the object, what was wrong and what would be right. Holds no secret. */
  readonly message: string;
  readonly violations?: readonly Violation[];
  readonly details?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** A failed operation. Expected outcomes are return values instead; broken invariants are assertions. */
export class ControlPlaneError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly violations: readonly Violation[];
  readonly details: Readonly<Record<string, string>>;

  constructor(options: ErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ControlPlaneError";
    this.kind = options.kind;
    this.code = options.code;
    this.violations = options.violations ?? [];
    this.details = options.details ?? {};
  }
}

/** The one way in for an unknown value that was thrown. Any error that is not ours is a bug of ours. */
export function toControlPlaneError(thrown: unknown): ControlPlaneError {
  if (thrown instanceof ControlPlaneError) return thrown;
  return new ControlPlaneError({
    kind: "bug",
    code: "INTERNAL",
    message: thrown instanceof Error ? thrown.message : String(thrown),
    cause: thrown,
  });
}

/** A request that cannot be accepted as it is; lists every bad field. */
export function invalid(code: string, violations: readonly Violation[]): ControlPlaneError {
  const message = violations.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`)).join("; ");
  return new ControlPlaneError({ kind: "invalid", code, message, violations });
}
