/** The commands that documents teach, and what they show, as they are written there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Block {
  /** `sh`, `yaml`; empty for what a command prints. */
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of one section of a document, in order. */
export function blocksOf(document: string, heading: string): readonly Block[] {
  const text = readFileSync(join(import.meta.dirname, "../..", document), "utf8");
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = "", block = ""]) => ({
    language,
    text: block,
  }));
}
