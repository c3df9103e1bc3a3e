const PLAIN = /^[\x20-\x7e]*$/;
const COMBINING = /^\p{M}+$/u;
/** Of what East Asian scripts and pictures begin with, near enough. */
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3001-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const segmenter = new Intl.Segmenter();

/** How many columns of a terminal a text takes: a letter with its accents one, an ideograph or a picture two. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += widthOf(segment);
  return width;
}

/** As much of a text as has room; `…` stands for the rest. */
export function cutToWidth(text: string, width: number): string {
  return displayWidth(text) <= width ? text : `${text.slice(0, indexAtWidth(text, width - 1)).trimEnd()}…`;
}

/** Where the text that fits a width ends. */
export function indexAtWidth(text: string, width: number): number {
  let taken = 0;
  for (const { segment, index } of segmenter.segment(text)) {
    taken += widthOf(segment);
    if (taken > width) return index;
  }
  return text.length;
}

function widthOf(segment: string): number {
  if (COMBINING.test(segment)) return 0;
  return WIDE.test(segment) ? 2 : 1;
}
