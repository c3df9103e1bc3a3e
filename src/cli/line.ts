/** What a part of a line means. Colours repeat it for the eye: nothing is conveyed by colour alone. */
export type Tone = "bad" | "warn" | "good" | "head";

/** A part of a line with its meaning; a string is plain text. */
export type Piece = string | { readonly text: string; readonly tone: Tone };

/** One line for people. */
export type Line = string | readonly Piece[];

export function toned(tone: Tone, text: string): Piece {
  return { text, tone };
}

export function pieceText(piece: Piece): string {
  return typeof piece === "string" ? piece : piece.text;
}

/** The same piece with another text. */
export function withText(piece: Piece, text: string): Piece {
  return typeof piece === "string" ? text : { ...piece, text };
}

export function piecesOf(line: Line): readonly Piece[] {
  return typeof line === "string" ? [line] : line;
}

export function lineText(line: Line): string {
  return piecesOf(line).map(pieceText).join("");
}

export function indented(line: Line, indent: string): Line {
  if (typeof line === "string") return indent + line;
  return indent === "" ? line : [indent, ...line];
}
