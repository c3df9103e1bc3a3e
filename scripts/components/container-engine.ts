/** Finds a container engine that runs, and the compose program that goes with it. */
import { output, reasonOf } from "./search.ts";

export interface ContainerEngine {
  /** Of the server, not of the client. */
  readonly version: string;
  /** The program that starts a compose file, and its first arguments: `docker compose`, or the older `docker-compose`. */
  readonly compose: readonly [string, ...string[]];
}

/** @throws Error when no engine answers, or no compose program goes with it. */
export function findContainerEngine(): ContainerEngine {
  let version: string;
  try {
    version = output("docker", ["version", "--format", "{{.Server.Version}}"]).trim();
  } catch (error) {
    throw new Error(`no container engine answers: ${reasonOf(error)}. Install Docker and start it.`, { cause: error });
  }
  for (const compose of [["docker", "compose"], ["docker-compose"]] as const) {
    const [program, ...args] = compose;
    try {
      output(program, [...args, "version"]);
      return { version, compose };
    } catch {
      // The other one may be there.
    }
  }
  throw new Error("neither `docker compose` nor `docker-compose` is there. Install the compose plugin of Docker.");
}
