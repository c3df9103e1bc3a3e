import type { SQLOutputValue, StatementSync } from "node:sqlite";

/** Rows hold what whoever wrote them put there. What no release writes is read as something, so that it ends no reading. */

/** Of the rows of a statement: an integer beyond what a number can hold must not end the reading of all of them. */
export function exact(statement: StatementSync): StatementSync {
  statement.setReadBigInts(true);
  return statement;
}

/** What is no blob reads as its text, which whoever reads the record sets aside. */
export function bytesOf(value: SQLOutputValue | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : new TextEncoder().encode(String(value));
}

/** Zero for what is no whole number. */
export function numberOf(value: SQLOutputValue | undefined): number {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : 0;
}
