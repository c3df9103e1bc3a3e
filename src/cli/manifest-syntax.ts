import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type Pair, visit, type YAMLMap } from "yaml";

/** Something wrong with the text of a document, whatever its fields mean. */
export interface SyntaxProblem {
  /** Offset in the text. */
  readonly offset: number;
  readonly message: string;
}

/**
 * What keeps a document from being read, in the order of the text; if there is nothing, the document has a value.
 *
 * @param placeAt `3:7`, for an offset.
 */
export function syntaxProblems(document: Document.Parsed, placeAt: (offset: number) => string): SyntaxProblem[] {
  const problems = [...document.errors, ...document.warnings].map(({ code, pos: [offset], message }) => ({
    offset,
    message: (code === "DUPLICATE_KEY" ? duplicateKey(document, offset, placeAt) : undefined) ?? message,
  }));
  return problems.length > 0 ? problems : aliasProblems(document);
}

/** The library says that keys must be unique, but not which one is repeated. */
function duplicateKey(
  document: Document.Parsed,
  offset: number,
  placeAt: (offset: number) => string,
): string | undefined {
  let message: string | undefined;
  visit(document, {
    Map(_, map) {
      const key = map.items.find((pair) => offsetOf(pair) === offset)?.key;
      if (!isScalar(key)) return undefined;
      const name = String(key.value);
      const first = map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === name);
      const firstAt = first === undefined ? undefined : offsetOf(first);
      message = `the key "${name}" is given twice${firstAt === undefined ? "" : `, first at ${placeAt(firstAt)}`}`;
      return visit.BREAK;
    },
  });
  return message;
}

function offsetOf({ key }: Pair): number | undefined {
  return (key as { range?: readonly number[] } | null)?.range?.[0];
}

/** Problems that the library would find only while it makes the document's value, and would describe less well. */
function aliasProblems(document: Document.Parsed): SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  visit(document, {
    Alias(_, alias, path) {
      const target = alias.resolve(document);
      const problem = (message: string) => problems.push({ offset: alias.range?.[0] ?? 0, message });
      if (target === undefined) problem(undefinedAlias(alias));
      else if (path.includes(target)) problem(`*${alias.source} stands for the &${alias.source} that it is part of`);
    },
    Map(_, map) {
      for (const offset of badMerges(document, map)) {
        problems.push({ offset, message: "what << merges must be an object, an alias of one, or a list of these" });
      }
    },
  });
  return problems.toSorted((a, b) => a.offset - b.offset);
}

function undefinedAlias({ source }: Alias): string {
  return `the alias *${source} is undefined: no anchor &${source} comes before it in this document; quote it if it is text`;
}

function badMerges(document: Document.Parsed, map: YAMLMap): readonly number[] {
  return map.items
    .filter((pair) => isMergeKey(pair.key))
    .filter(({ value }) => mergeSources(document, value).some((source) => source !== undefined && !isMap(source)))
    .map((pair) => offsetOf(pair) ?? 0);
}

/** Whether a key is `<<` without quotes: the fields of its value become fields of the object that it stands in. */
export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.type === "PLAIN" && (key.source === "<<" || key.value === "<<");
}

/** What a merge key merges; holds undefined for an undefined alias. */
export function mergeSources(document: Document, value: unknown): readonly unknown[] {
  const target = isAlias(value) ? value.resolve(document) : value;
  return isSeq(target) ? target.items.map((item) => (isAlias(item) ? item.resolve(document) : item)) : [target];
}
