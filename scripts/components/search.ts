/** The search for one program: a list of places, the first that fits wins, and a failure tells of every one of them. */
import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export interface Component {
  readonly path: string;
  readonly version: string;
  /** Where it was found, for people: "the PATH", say. */
  readonly foundIn: string;
}

/** One place to look; `look` returns the component or throws with the reason why not. */
export interface Place {
  readonly name: string;
  readonly look: () => Omit<Component, "foundIn">;
}

/** Looks in each place in turn. @throws Error that lists every place with its reason. */
export function searchPlaces(wanted: string, places: readonly Place[], cure: string): Component {
  const tried: string[] = [];
  for (const { name, look } of places) {
    try {
      return { ...look(), foundIn: name };
    } catch (error) {
      tried.push(`  - ${name}: ${reasonOf(error)}`);
    }
  }
  throw new Error(`${wanted} could not be found or fetched. Tried:\n${tried.join("\n")}\n${cure}`);
}

/** The first executable file of that name on the PATH. @throws Error when there is none. */
export function onPath(program: string): string {
  for (const folder of (process.env.PATH ?? "").split(delimiter).filter((entry) => entry !== "")) {
    const candidate = join(folder, program);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this folder; the next one may have it.
    }
  }
  throw new Error(`no ${program} on it`);
}

/** Runs a program to its end and returns what it printed. @throws Error with the last lines of its complaint. */
export function output(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): string {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...options });
  } catch (error) {
    const command = [program, ...args].join(" ");
    const complaint =
      error instanceof Error && "stderr" in error && typeof error.stderr === "string" ? error.stderr.trim() : "";
    const why = complaint === "" ? reasonOf(error) : complaint.split("\n").slice(-4).join("\n      ");
    throw new Error(`\`${command}\` failed: ${why}`, { cause: error });
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
