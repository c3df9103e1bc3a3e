import { existsSync, lstatSync, mkdirSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";

/**
 * Where compiled code is kept between runs, so that a command starts in half the time: below `XDG_CACHE_HOME`, or
 * `~/.cache`. Whoever can write there runs code as this user, so the directory, and all above it, are this user's or root's
 * and nobody else can write to them; else there is no such place, and nothing is kept.
 *
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {string | undefined}
 */
export function compileCacheDirectory(env) {
  const user = process.geteuid?.();
  if (user === undefined) return undefined;
  try {
    const base = env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache");
    if (!isAbsolute(base)) return undefined;
    makeDirectory(base);
    const own = join(realpathSync(base), "fairlead");
    // Looked at from the top, so that nothing is made in what somebody else could move away.
    for (const directory of pathTo(dirname(own))) if (!isPrivate(directory, user)) return undefined;
    for (const directory of [own, join(own, "compiled")]) {
      makeDirectory(directory);
      if (!isPrivate(directory, user)) return undefined;
    }
    return join(own, "compiled");
  } catch {
    return undefined;
  }
}

/** One level, and not `recursive`: that never returns where the system answers ENOENT below an existing folder, as /proc does. */
function makeDirectory(directory) {
  if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 });
}

/** The directories from the root to this one. */
function pathTo(directory) {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [...pathTo(parent), directory];
}

const STICKY = 0o1000;
const WRITABLE_BY_OTHERS = 0o022;

/** In a sticky directory, as `/tmp` is one, nobody can move away what is another's. */
function isPrivate(directory, user) {
  const { uid, mode } = lstatSync(directory);
  const isDirectory = (mode & 0o170000) === 0o040000;
  const isClosed = (mode & WRITABLE_BY_OTHERS) === 0 || (uid === 0 && (mode & STICKY) !== 0);
  return isDirectory && (uid === 0 || uid === user) && isClosed;
}
