/**
 * Characters that draw, hide, turn or break text instead of being seen in it: control characters, bidirectional and other
 * invisible marks, blanks other than the plain one, line separators, lone surrogates, and accents on one letter from the
 * fifth on, which reach into other lines.
 */
const UNSAFE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}|\p{M}(?<=\p{M}{5})/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Text from outside as a person may see it on one line: whatever would move the cursor or hide, turn or break the line is
 * shown as an escape (`\n`, `\x1b`, `\u202e`). For eyes, not for parsers: a backslash stays as it is.
 */
export function printable(text: string): string {
  return escapeUnsafe(text, escapeOf);
}

/** The same, of at most this many characters; a cut is marked with the full length: `abc… (2,000 characters)`. */
export function printableStart(text: string, maxLength: number): string {
  if (text.length <= maxLength) return printable(text);
  return `${printable(text.slice(0, maxLength))}… (${text.length.toLocaleString("en")} characters)`;
}

/**
 * JSON text with the same content in which every character is visible: unsafe ones that JSON allows in a string are written
 * as `\u009b`. Line ends, which occur only between values, stay.
 */
export function printableJson(json: string): string {
  return escapeUnsafe(json, (character) => {
    if (character === "\n") return character;
    return Array.from({ length: character.length }, (_, at) => fourDigits(character.charCodeAt(at))).join("");
  });
}

/** `replacement` is given each unsafe character and returns what replaces it. */
export function escapeUnsafe(text: string, replacement: (character: string, codePoint: number) => string): string {
  return text.replace(UNSAFE, (character) => replacement(character, character.codePointAt(0) ?? 0));
}

function escapeOf(character: string, codePoint: number): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  if (codePoint > 0xffff) return `\\u{${codePoint.toString(16)}}`;
  return codePoint > 0xff ? fourDigits(codePoint) : `\\x${codePoint.toString(16).padStart(2, "0")}`;
}

function fourDigits(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
