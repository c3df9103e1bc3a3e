/** Calls `run` once the events of this turn of the loop have been handled; what one turn brings can so be handled as one. */
export function nextTurn(run: () => void): void {
  setImmediate(run);
}
