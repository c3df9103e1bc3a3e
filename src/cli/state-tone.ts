import { type Piece, type Tone, toned } from "./line.ts";

/** Tones of the words for states; words that are not here are neutral. */
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

/** A state as the text of a cell. */
export function statePiece(text: string): Piece {
  const tone = TONES[text];
  return tone === undefined ? text : toned(tone, text);
}

/** What is wrong with something, or `-`. */
export function problemPiece(text: string): Piece {
  return text === "-" ? text : toned("warn", text);
}
