import { chmodSync, existsSync, mkdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempFolder } from "../../support/temp-folder.ts";

// Of JavaScript, since any Node has to be able to read it.
const {
  compileCacheDirectory,
}: { readonly compileCacheDirectory: (env: Record<string, string>) => string | undefined } = await import(
  new URL("../../../bin/compile-cache.js", import.meta.url).href
);

test("compiled code is kept below the user's own cache, in directories that nobody else can write to", () => {
  using folder = tempFolder();
  const directory = join(folder.path, ".cache", "fairlead", "compiled");
  expect(compileCacheDirectory({ HOME: folder.path })).toBe(directory);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(compileCacheDirectory({ XDG_CACHE_HOME: join(folder.path, "xdg") })).toBe(
    join(folder.path, "xdg", "fairlead", "compiled"),
  );
});

test("it is kept nowhere where somebody else could put code", () => {
  using folder = tempFolder();
  const base = join(folder.path, "cache");
  const own = join(base, "fairlead");
  const place = () => compileCacheDirectory({ XDG_CACHE_HOME: base });
  mkdirSync(own, { recursive: true });
  chmodSync(base, 0o777);
  expect(place(), "who can write above it can replace it").toBeUndefined();
  expect(existsSync(join(own, "compiled"))).toBe(false);
  chmodSync(base, 0o700);
  chmodSync(own, 0o770);
  expect(place(), "who can write into it").toBeUndefined();
  rmSync(own, { recursive: true });
  mkdirSync(join(folder.path, "elsewhere"));
  symlinkSync(join(folder.path, "elsewhere"), own);
  expect(place(), "a link leads where it likes").toBeUndefined();
  rmSync(own);
  expect(place()).toBe(join(own, "compiled"));
  expect(compileCacheDirectory({ XDG_CACHE_HOME: "relative" })).toBeUndefined();
  expect(compileCacheDirectory({ XDG_CACHE_HOME: "/proc/nothing" })).toBeUndefined();
});
