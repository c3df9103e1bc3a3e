/** Where real components (Envoy, nats-server, promtool) are kept between runs: one folder per component and version, shared by all checkouts of a user. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";

/** @throws Error when the program is not in the cache. */
export function inCache(place: string): string {
  if (!existsSync(place)) throw new Error(`nothing at ${place}`);
  return place;
}

/** The place of one cached program; it need not exist yet. */
export function cachedProgram(component: string, version: string): string {
  const base = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return join(base, "fairlead", component, version, component);
}

/**
 * Runs `make` in an empty folder and moves the program that it names to `place` in one step, so that a run that
 * is cut off, or two runs at once, never leave half a program behind.
 */
export function addToCache(place: string, make: (folder: string) => string): void {
  const parent = dirname(place);
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, `.${basename(place)}-`));
  try {
    const program = make(folder);
    chmodSync(program, 0o755);
    renameSync(program, place);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
