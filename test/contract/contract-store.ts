import type { Cause, Journal } from "../../src/store/journal.ts";
import type { StateStore, StoreOp } from "../../src/store/state-store.ts";

/** What a store hands to the suites. */
export interface OpenedStore {
  readonly state: StateStore;
  readonly journal: Journal;
}

export interface StoreUnderTest extends OpenedStore {
  /** Another process's view of the same log, where the store allows one; the same store otherwise. */
  readonly other: OpenedStore;
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
