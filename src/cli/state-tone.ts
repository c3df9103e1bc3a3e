import type { Condition } from "../gen/fairlead/admin/v1/meta_pb.ts";
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
  MISSING: "bad",
};

/** A state as the text of a cell. */
export function statePiece(text: string): Piece {
  const tone = TONES[text];
  return tone === undefined ? text : toned(tone, text);
}

/** The first thing that is wrong with an object, or `-`. */
export function problemPiece({ conditions }: { readonly conditions: readonly Condition[] }): Piece {
  const bad = conditions.find(({ ok }) => !ok);
  return bad === undefined ? "-" : toned("warn", `${bad.reason}: ${bad.message}`);
}
