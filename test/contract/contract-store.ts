import type { Cause } from "../../src/store/journal.ts";
import type { StoreOp } from "../../src/store/state-store.ts";
import type { Store } from "../../src/store/store.ts";

export interface StoreUnderTest extends Store {
  /** Another process's store on the same log, where the store allows one; the same store otherwise. */
  readonly other: Store;
  /** Ends everything, also what was closed before. */
  dispose(): Promise<void>;
}

export interface StoreFactory {
  /** An empty store. */
  open(): Promise<StoreUnderTest>;
  /** How often each law is tried. */
  readonly runs: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const bytes = (text: string): Uint8Array => encoder.encode(text);
export const text = (value: Uint8Array | undefined): string | undefined => value && decoder.decode(value);

/** A commit that the journal does not keep, unless the test says otherwise. */
export const cause = (given: Partial<Cause> = {}): Cause => ({
  actor: "test",
  operation: "-test",
  reason: "",
  requestId: "",
  ...given,
});

export const put = (key: string, value: string, more: Partial<StoreOp & { op: "put" }> = {}): StoreOp => ({
  op: "put",
  key,
  value: bytes(value),
  ...more,
});
