/** Control characters, bidirectional and other invisible marks, line separators, lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Text from outside as a person may see it on one line: what would move the cursor, hide, turn or break the line is shown
 * as an escape (`\n`, `\x1b`, `\u202e`). For eyes, not for parsers: a backslash stays as it is.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, escapeOf);
}

/** The same, at most so many characters long; what was cut is said: `abc… (2,000 characters)`. */
export function printableStart(text: string, maxLength: number): string {
  if (text.length <= maxLength) return printable(text);
  return `${printable(text.slice(0, maxLength))}… (${text.length.toLocaleString("en")} characters)`;
}

function escapeOf(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (code > 0xffff) return `\\u{${code.toString(16)}}`;
  return code > 0xff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\x${code.toString(16).padStart(2, "0")}`;
}
