/** Finds a real promtool, or fetches one: the variable FAIRLEAD_PROMTOOL, the PATH, the cache, then Debian's package `prometheus`. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { addToCache, cachedProgram, inCache } from "./cache.ts";
import { type Component, onPath, output, type Place, searchPlaces } from "./search.ts";

/** From this one on it checks metrics and rules in the way that the tests rely on. */
const OLDEST_MAJOR = 2;

/** @throws Error that lists every place that was tried with the reason why it did not do. */
export function providePromtool(progress: (line: string) => void): Component {
  const named = process.env.FAIRLEAD_PROMTOOL;
  if (named !== undefined) return { ...check(named), foundIn: "FAIRLEAD_PROMTOOL" };
  const place = cachedProgram("promtool", "debian");
  const places: Place[] = [
    { name: "the PATH", look: () => check(onPath("promtool")) },
    { name: "the cache", look: () => check(inCache(place)) },
    {
      name: "the Debian package",
      look: () => {
        progress("fetching promtool (20 MB)");
        addToCache(place, unpackPackage);
        return check(place);
      },
    },
  ];
  const cure =
    "Put a promtool on the PATH, or name its binary in FAIRLEAD_PROMTOOL. To fetch one takes Debian or Ubuntu, with the lists that `apt-get update` brings.";
  return searchPlaces(`promtool ${OLDEST_MAJOR} or later`, places, cure);
}

/** Downloads the package into `folder`, unpacks it there and returns the binary's path; nothing is installed. */
function unpackPackage(folder: string): string {
  output("apt-get", ["download", "prometheus"], { cwd: folder });
  const file = readdirSync(folder).find((name) => name.endsWith(".deb"));
  if (file === undefined) throw new Error("apt-get downloaded no package");
  output("dpkg-deb", ["--extract", join(folder, file), folder]);
  return join(folder, "usr", "bin", "promtool");
}

/** `promtool --version` prints `promtool, version 2.42.0+ds (branch: …`. */
function check(path: string): { path: string; version: string } {
  const [, version, major] = /version ((\d+)\.\d+\.\d+)/.exec(output(path, ["--version"])) ?? [];
  if (version === undefined) throw new Error(`${path} --version names no version`);
  if (Number(major) < OLDEST_MAJOR) throw new Error(`${path} is promtool ${version}`);
  return { path, version };
}
