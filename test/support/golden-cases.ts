import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { State } from "../../src/domain/state.ts";
import { objectsOf, stateOf } from "./state-of.ts";

export const GOLDEN_CASES = join(import.meta.dirname, "../golden/resources/cases");

/** Files of manifests, each with the resources it becomes beside it. */
export function goldenCases(): readonly string[] {
  return readdirSync(GOLDEN_CASES).filter((file) => file.endsWith(".yaml"));
}

export function goldenState(file: string): State {
  const documents = parseAllDocuments(readFileSync(join(GOLDEN_CASES, file), "utf8"));
  return stateOf(objectsOf(documents.map((document) => document.toJS())));
}
