/** Calls `run` once the events of this turn of the loop have been handled, so what one turn brings can be handled together. */
export function nextTurn(run: () => void): void {
  setImmediate(run);
}
