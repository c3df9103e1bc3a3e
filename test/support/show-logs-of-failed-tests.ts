/** Set up before every test file: when a test fails, the last lines of each program that it started are printed. */
import { onTestFailed } from "vitest";
import { onChildStart } from "./child.ts";

onChildStart((logTail) => {
  try {
    onTestFailed(() => console.error(logTail()));
  } catch {
    // Started by a hook: there is no test to watch, and errors of the harness carry the log's tail themselves.
  }
});
