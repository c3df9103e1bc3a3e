import { ControlPlaneError } from "../domain/errors.ts";

/** A limit that was met: which it is, how much came, how much is allowed, and what to do. */
export interface Excess<Amount extends string | number = string | number> {
  readonly limit: string;
  readonly came: Amount;
  readonly max: Amount;
  readonly cure: string;
}

export function exhausted(code: string, { limit, came, max, cure }: Excess): ControlPlaneError {
  return new ControlPlaneError({
    kind: "exhausted",
    code,
    message: `${limit}: ${came}, but at most ${max} are allowed; ${cure} (docs/api.md, "Limits")`,
    details: { limit, came: String(came), max: String(max) },
  });
}

/** @throws ControlPlaneError `exhausted` when more came than is allowed. */
export function refuseAbove(code: string, amount: Excess<number>): void {
  if (amount.came > amount.max) throw exhausted(code, amount);
}
