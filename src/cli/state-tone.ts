import { type Piece, type Tone, toned } from "./line.ts";

/** How the words for states read; those that are not here mean neither good nor bad. */
const TONES: Readonly<Record<string, Tone>> = {
  ack: "good",
  yes: "good",
  HEALTHY: "good",
  DEGRADED: "warn",
  DRAINING: "warn",
  sent: "warn",
  no: "bad",
  UNHEALTHY: "bad",
  REFUSED: "bad",
};

/** A state as it stands in a cell. */
export function statePiece(text: string): Piece {
  const tone = TONES[text];
  return tone === undefined ? text : toned(tone, text);
}

/** What is wrong with something, or `-`. */
export function problemPiece(text: string): Piece {
  return text === "-" ? text : toned("warn", text);
}
