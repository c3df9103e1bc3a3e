/** The first of many for a sentence, and how many more there are: `a: refused; b: refused; and 4 more`. */
export function firstFew<T>(all: readonly T[], most: number, textOf: (one: T) => string, separator = "; "): string {
  const more = all.length > most ? [`and ${all.length - most} more`] : [];
  return [...all.slice(0, most).map(textOf), ...more].join(separator);
}
