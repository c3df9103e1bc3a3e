import type { SQLOutputValue, StatementSync } from "node:sqlite";

/** Rows hold whatever their writer put there. What no release writes is still read as something, so it ends no reading. */

/** Reads integers exactly: one beyond what a number can hold must not end the reading of all rows of a statement. */
export function exact(statement: StatementSync): StatementSync {
  statement.setReadBigInts(true);
  return statement;
}

/** Anything that is not a blob is read as its text, which the reader of the record sets aside. */
export function bytesOf(value: SQLOutputValue | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : new TextEncoder().encode(String(value));
}

/** Zero for anything that is not a safe integer. */
export function numberOf(value: SQLOutputValue | undefined): number {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : 0;
}
