/** Finds a real nats-server, or builds one: the variable FAIRLEAD_NATS_SERVER, the PATH, the cache, then `go install`. */
import { join } from "node:path";
import { addToCache, cachedProgram, inCache } from "./cache.ts";
import { type Component, onPath, output, type Place, searchPlaces } from "./search.ts";

const BUILT_VERSION = "2.15.2";
const OLDEST_MINOR = 12;

/** @throws Error that lists every place that was tried with the reason why it did not do. */
export function provideNatsServer(progress: (line: string) => void): Component {
  const named = process.env.FAIRLEAD_NATS_SERVER;
  if (named !== undefined) return { ...check(named), foundIn: "FAIRLEAD_NATS_SERVER" };
  const place = cachedProgram("nats-server", BUILT_VERSION);
  const places: Place[] = [
    { name: "the PATH", look: () => check(onPath("nats-server")) },
    { name: "the cache", look: () => check(inCache(place)) },
    {
      name: "go install",
      look: () => {
        progress(`building nats-server ${BUILT_VERSION} (about a minute)`);
        addToCache(place, (folder) => {
          const env = { ...process.env, GOBIN: folder };
          output("go", ["install", `github.com/nats-io/nats-server/v2@v${BUILT_VERSION}`], { env });
          return join(folder, "nats-server");
        });
        return check(place);
      },
    },
  ];
  const cure = "Put a nats-server on the PATH, or name its binary in FAIRLEAD_NATS_SERVER.";
  return searchPlaces(`nats-server 2.${OLDEST_MINOR} or later`, places, cure);
}

/** `nats-server --version` prints `nats-server: v2.15.2`. */
function check(path: string): { path: string; version: string } {
  const [, version, major, minor] = /v((\d+)\.(\d+)\.\d+)/.exec(output(path, ["--version"])) ?? [];
  if (version === undefined) throw new Error(`${path} --version names no version`);
  if (major !== "2" || Number(minor) < OLDEST_MINOR) throw new Error(`${path} is nats-server ${version}`);
  return { path, version };
}
