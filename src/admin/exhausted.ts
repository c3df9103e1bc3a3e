import { ControlPlaneError } from "../domain/errors.ts";

/** The error for a limit: which it is, how much came, how much is allowed, and what to do. */
export function exhausted(
  code: string,
  { limit, came, max, cure }: { limit: string; came: string | number; max: string | number; cure: string },
): ControlPlaneError {
  return new ControlPlaneError({
    kind: "exhausted",
    code,
    message: `${limit}: ${came}, and at most ${max}; ${cure} (docs/api.md, "Limits")`,
    details: { limit, came: String(came), max: String(max) },
  });
}
