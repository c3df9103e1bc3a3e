import { pino } from "pino";
import { printableJson } from "../domain/printable.ts";
import type { LogSink } from "./log-sink.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * A structured logger. Messages are constant and lower case, data goes into fields, errors into `err`.
 *
 * Field names used everywhere: `component`, `nodeId`, `streamId`, `typeUrl`, `version`, `revision`, `durationMs`, `err`.
 */
export interface Logger {
  trace(fields: Fields, message: string): void;
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
  fatal(fields: Fields, message: string): void;
  child(fields: Fields): Logger;
}

/** Writes one JSON line a record. What is in the fields cannot draw on a terminal. */
export function createLogger(level: string, sink: LogSink): Logger {
  const hooks = { streamWrite: printableJson };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, hooks }, sink);
}

/** Drops everything; what a library does unless told otherwise. */
export const silentLogger: Logger = pino({ level: "silent" });
