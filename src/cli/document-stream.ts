import { refusedWhole } from "./exit.ts";
import { unreadable } from "./file-failure.ts";

/** One document of a YAML stream. */
export interface DocumentText {
  readonly text: string;
  /** Number of its first line in the stream, from 1. */
  readonly line: number;
}

const MAX_DOCUMENT_LENGTH = 4_000_000;
const MARKER = /^---(\s|$)/;

/** Splits a stream of YAML at its `---` lines, without holding more than one document. */
export async function* documentsOf(file: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<DocumentText> {
  let lines: string[] = [];
  let length = 0;
  let first = 1;
  let line = 0;
  for await (const text of linesOf(file, chunks)) {
    line += 1;
    if (MARKER.test(text)) {
      if (lines.length > 0) yield { text: lines.join("\n"), line: first };
      lines = [];
      length = 0;
      first = line;
    }
    lines.push(text);
    length += text.length + 1;
    if (length > MAX_DOCUMENT_LENGTH) {
      throw refusedWhole([`${file}:${first}:1  an object may have at most 1 MB`]);
    }
  }
  if (lines.length > 0) yield { text: lines.join("\n"), line: first };
}

async function* linesOf(file: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  try {
    for await (const chunk of chunks) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      yield* parts;
    }
    rest += decoder.decode();
  } catch (error) {
    throw error instanceof TypeError ? refusedWhole([`${file}: not UTF-8 text`], error) : unreadable(file, error);
  }
  if (rest !== "") yield rest;
}
