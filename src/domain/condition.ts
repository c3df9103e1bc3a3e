/** Something derived about an object that a person should know. Never stored. */
export interface Condition {
  /** What is asserted: `Accepted` (it takes effect), `ResolvedRefs` (what it refers to exists). */
  readonly type: "Accepted" | "ResolvedRefs";
  readonly ok: boolean;
  /** A stable code from an open set: `AddressInUse`, `UnknownService`. */
  readonly reason: string;
  readonly message: string;
}
