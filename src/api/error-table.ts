import type { ErrorKind } from "../domain/errors.ts";

/** What the command line's exit code says: see `EXIT` there. */
type Exit = "failed" | "notThere" | "tryAgain";

/**
 * The one table of what errors become outside: a code of google/rpc/code.proto, another one for each kind; the HTTP status
 * that its comments give; and what the exit code of a command says.
 */
export const ERROR_TABLE = {
  invalid: { grpc: "INVALID_ARGUMENT", http: 400, exit: "failed" },
  notFound: { grpc: "NOT_FOUND", http: 404, exit: "notThere" },
  exists: { grpc: "ALREADY_EXISTS", http: 409, exit: "failed" },
  conflict: { grpc: "ABORTED", http: 409, exit: "tryAgain" },
  precondition: { grpc: "FAILED_PRECONDITION", http: 400, exit: "failed" },
  unauthenticated: { grpc: "UNAUTHENTICATED", http: 401, exit: "failed" },
  denied: { grpc: "PERMISSION_DENIED", http: 403, exit: "failed" },
  exhausted: { grpc: "RESOURCE_EXHAUSTED", http: 429, exit: "failed" },
  unavailable: { grpc: "UNAVAILABLE", http: 503, exit: "tryAgain" },
  timeout: { grpc: "DEADLINE_EXCEEDED", http: 504, exit: "tryAgain" },
  cancelled: { grpc: "CANCELLED", http: 499, exit: "failed" },
  corrupt: { grpc: "DATA_LOSS", http: 500, exit: "failed" },
  bug: { grpc: "INTERNAL", http: 500, exit: "failed" },
} as const satisfies Record<ErrorKind, { grpc: string; http: number; exit: Exit }>;

/** Codes that say more than their kind: limits that were reached because of other load, and an error that no retry mends. */
const EXIT_BY_CODE: Readonly<Record<string, Exit>> = {
  TOO_MANY_CALLS: "tryAgain",
  TOO_MANY_REQUEST_BYTES: "tryAgain",
  READER_TOO_SLOW: "tryAgain",
  REQUEST_TOO_SLOW: "tryAgain",
  UPLOAD_TOO_SLOW: "tryAgain",
  STORE_REPLACED: "failed",
};

/**
 * What the exit code says of an error of the plane.
 *
 * @param grpc The name of its gRPC code.
 * @param code The plane's own code: `NO_BACKEND_LEFT`.
 */
export function exitOf(grpc: string | undefined, code: string): Exit {
  return EXIT_BY_CODE[code] ?? Object.values(ERROR_TABLE).find((row) => row.grpc === grpc)?.exit ?? "failed";
}
