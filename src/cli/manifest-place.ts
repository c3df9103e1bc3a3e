import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type YAMLMap } from "yaml";
import { isMergeKey, mergeSources } from "./manifest-syntax.ts";

/** A place in a file; both numbers count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

interface Step {
  readonly node: unknown;
  readonly rest: string;
  readonly offset: number | undefined;
}

/** Finds where a field stands in a YAML document. */
export class PlaceFinder {
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #firstLine: number;

  /** @param firstLine Where the text that `lines` counts begins in its file. */
  constructor(document: Document, lines: LineCounter, firstLine = 1) {
    this.#document = document;
    this.#lines = lines;
    this.#firstLine = firstLine;
  }

  /**
   * The place of a field path such as `rules[0].match.path.prefix`: its key, or the entry of a list. The nearest parent's
   * place when the document has no such field; the start of the document for the empty path.
   */
  placeOf(path: string): Place {
    let node: unknown = this.#document.contents;
    let rest = path;
    let offset = offsetOf(node) ?? 0;
    while (rest !== "") {
      const step = this.#step(node, rest);
      if (step === undefined) break;
      ({ node, rest } = step);
      offset = step.offset ?? offset;
    }
    return this.placeAt(offset);
  }

  placeAt(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line) + this.#firstLine - 1, column: Math.max(1, col) };
  }

  #step(parent: unknown, path: string): Step | undefined {
    const node = isAlias(parent) ? parent.resolve(this.#document) : parent;
    if (isSeq(node)) {
      const match = /^\[(\d+)\]\.?/.exec(path);
      const item = match === null ? undefined : node.items[Number(match[1])];
      if (match === null || item === undefined) return undefined;
      return { node: item, rest: path.slice(match[0].length), offset: offsetOf(item) };
    }
    if (!isMap(node)) return undefined;
    return this.#ownStep(node, path) ?? this.#mergedStep(node, path);
  }

  #ownStep(node: YAMLMap, path: string): Step | undefined {
    // A key may itself contain dots (labels do), so the longest key that fits is meant.
    const pair = node.items
      .filter(({ key }) => leads(keyText(key), path))
      .toSorted((a, b) => keyText(b.key).length - keyText(a.key).length)[0];
    if (pair === undefined) return undefined;
    const rest = path.slice(keyText(pair.key).length).replace(/^\./, "");
    return { node: pair.value, rest, offset: offsetOf(pair.key) };
  }

  #mergedStep(node: YAMLMap, path: string): Step | undefined {
    const sources = node.items
      .filter(({ key }) => isMergeKey(key))
      .flatMap(({ value }) => mergeSources(this.#document, value));
    for (const source of sources) {
      const step = this.#step(source, path);
      if (step !== undefined) return step;
    }
    return undefined;
  }
}

function leads(key: string, path: string): boolean {
  return path === key || (key !== "" && (path.startsWith(`${key}.`) || path.startsWith(`${key}[`)));
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : "";
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
