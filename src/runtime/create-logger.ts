import { pino } from "pino";
import { printableJson } from "../domain/printable.ts";
import type { LogSink } from "./log-sink.ts";
import type { Logger } from "./logger.ts";

/** Writes one JSON line per log entry. What is in the fields cannot draw on a terminal. */
export function createLogger(level: string, sink: LogSink): Logger {
  const hooks = { streamWrite: printableJson };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, hooks }, sink);
}
