/** The embedded store as tests open it: in a directory, or in memory alone. */
import type { Clock } from "../../src/runtime/clock.ts";
import { openSqliteFile, openSqliteMemory } from "../../src/store/sqlite-file.ts";
import { openSqliteStore } from "../../src/store/sqlite-store.ts";
import type { Store } from "../../src/store/store.ts";

export async function openDirectoryStore(options: {
  readonly directory: string;
  readonly clock: Clock;
}): Promise<Store> {
  return openSqliteStore(openSqliteFile(options.directory), options.clock);
}

/** It ends with its process. */
export async function openMemoryStore({ clock }: { readonly clock: Clock }): Promise<Store> {
  return openSqliteStore(openSqliteMemory(), clock);
}
