import { errors, type PermissionViolationError } from "@nats-io/transport-node";
import { ControlPlaneError } from "../domain/errors.ts";
import { unreachable } from "../store/errors.ts";

/** Turns what the client library throws into the store's errors, for requests that change nothing. */
export function storeFailure(thrown: unknown, what: string): ControlPlaneError {
  if (thrown instanceof ControlPlaneError) return thrown;
  const permission = permissionViolation(thrown);
  if (permission !== undefined) {
    return new ControlPlaneError({
      kind: "precondition",
      code: "NATS_PERMISSION_MISSING",
      message: `${what}: the NATS user may not ${permission.operation} "${permission.subject}"; grant that permission`,
      details: { operation: permission.operation, subject: permission.subject },
      cause: thrown,
    });
  }
  return unreachable(`${what}: ${reasonOf(thrown)}`, thrown);
}

/** Whether the server may have taken the request although it gave no answer. */
export function isSilence(thrown: unknown): boolean {
  return (
    thrown instanceof errors.TimeoutError || (thrown instanceof Error && thrown.cause instanceof errors.TimeoutError)
  );
}

/** The violation that caused an error, or undefined. */
export function permissionViolation(thrown: unknown): PermissionViolationError | undefined {
  if (thrown instanceof errors.PermissionViolationError) return thrown;
  return thrown instanceof Error && thrown.cause !== undefined ? permissionViolation(thrown.cause) : undefined;
}

function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const isAway = thrown.name === "JetStreamNotEnabled" || thrown instanceof errors.NoRespondersError;
  return isAway ? "no JetStream server answers" : thrown.message || thrown.name;
}
