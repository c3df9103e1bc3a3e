import { ControlPlaneError } from "../domain/errors.ts";

/** A limit was met: which, how much came, how much is taken, and what to do. */
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
