import { pino } from "pino";

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

/** Drops everything; what a library does unless told otherwise. */
export const silentLogger: Logger = pino({ level: "silent" });
