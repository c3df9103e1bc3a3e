/** Whether files that were made of others need to be made again: by content, since a clone and `npm ci` make all times new. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

export interface Making {
  /** Files and folders, below `root`. */
  readonly sources: readonly string[];
  readonly results: readonly string[];
  readonly root: string;
  /** Where the stamp of the last making is, among the results or beside them. */
  readonly stampFile: string;
}

/** Runs `make` unless the results are what it last made, of the same sources. One that was broken off is begun again. */
export function makeUnlessCurrent(making: Making, make: () => void): void {
  const { stampFile } = making;
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stampOf(making)) return;
  rmSync(stampFile, { force: true });
  make();
  writeFileSync(stampFile, stampOf(making));
}

function stampOf({ root, sources, results, stampFile }: Making): string {
  return JSON.stringify({ sources: digest(root, sources, stampFile), results: digest(root, results, stampFile) });
}

/** Of the names and contents of all files, except the stamp's own. */
function digest(root: string, paths: readonly string[], stampFile: string): string {
  const hash = createHash("sha256");
  for (const path of paths.flatMap((one) => filesIn(root, one)).toSorted()) {
    if (join(root, path) === stampFile) continue;
    const content = readFileSync(join(root, path));
    hash.update(`${path}\0${content.byteLength}\0`).update(content);
  }
  return hash.digest("hex");
}

function filesIn(root: string, path: string): string[] {
  const place = join(root, path);
  if (!existsSync(place)) return [];
  if (!statSync(place).isDirectory()) return [path];
  const entries = readdirSync(place, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(root, join(entry.parentPath, entry.name)));
}
