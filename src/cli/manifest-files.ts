import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { refusedWhole, wrongUsage } from "./exit.ts";
import { reading, unreadable } from "./file-failure.ts";

/** Bound on all manifests of one `apply` together, in bytes. More objects do not fit into one commit anyway. */
export const MANIFEST_BYTES_MAX = 8 * 1024 * 1024;

/** The text of one manifest, with the name that messages give it. */
export interface ManifestSource {
  readonly file: string;
  readonly text: string;
}

/** Excludes what editors leave beside a file: `.#shop.yaml`, `.shop.yaml.swp`, `#shop.yaml#`, `shop.yaml~`, `shop.yaml.orig`. */
const MANIFEST_NAME = /^[^.#~].*\.(ya?ml|json)$/i;

/**
 * Reads files, the manifests in folders in the order of their names, and standard input for `-`. In a folder, not in its
 * subfolders, it reads the files whose names end in .yaml, .yml or .json and do not begin with `.`, `#` or `~`.
 *
 * Stops reading at `MANIFEST_BYTES_MAX`, however large a file is.
 */
export async function readManifests(
  paths: readonly string[],
  stdin: AsyncIterable<Uint8Array>,
): Promise<readonly ManifestSource[]> {
  const sources: ManifestSource[] = [];
  let bytesLeft = MANIFEST_BYTES_MAX;
  for (const path of (await Promise.all(paths.map(filesAt))).flat()) {
    const bytes = await readAtMost(path, path === "-" ? stdin : createReadStream(path), bytesLeft);
    bytesLeft -= bytes.length;
    sources.push({ file: path === "-" ? "standard input" : path, text: decode(path, bytes) });
  }
  return sources;
}

async function filesAt(path: string): Promise<readonly string[]> {
  if (path === "-" || !(await reading(path, stat(path))).isDirectory()) return [path];
  const entries = await reading(path, readdir(path, { withFileTypes: true }));
  const manifests = entries.filter((entry) => MANIFEST_NAME.test(entry.name) && !entry.isDirectory());
  const names = manifests.map(({ name }) => name).sort();
  if (names.length === 0) {
    throw wrongUsage(`${path}: no .yaml, .yml or .json files (names that begin with . # or ~ are ignored)`);
  }
  return names.map((name) => join(path, name));
}

async function readAtMost(path: string, stream: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      length += chunk.length;
      if (length > bytesMax) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  if (length <= bytesMax) return Buffer.concat(chunks);
  const limit = `${MANIFEST_BYTES_MAX / 1024 / 1024} MiB`;
  throw refusedWhole([`${path}: the manifests of one apply may have at most ${limit} together; split them`]);
}

function decode(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw refusedWhole([`${path}: not UTF-8 text`], error);
  }
}
