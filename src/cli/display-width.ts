const PLAIN = /^[\x20-\x7e]*$/;
const COMBINING = /^\p{M}+$/u;
/** Approximates what East Asian characters and emoji begin with. */
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3001-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const segmenter = new Intl.Segmenter();

/** How many terminal columns a text takes: a letter with its accents takes one, an ideograph or an emoji two. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += widthOf(segment);
  return width;
}

/** As much of a text as fits; `…` stands for the rest. */
export function cutToWidth(text: string, width: number): string {
  return displayWidth(text) <= width ? text : `${text.slice(0, indexAtWidth(text, width - 1)).trimEnd()}…`;
}

/** The index at which the part of a text that fits a width ends. */
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
