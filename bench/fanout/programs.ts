/** The programs of the benchmark, built where they are written in Go. */
import { mkdirSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { output } from "../../scripts/components/search.ts";
import type { Program } from "./process.ts";

const bench = join(import.meta.dirname, "..");
const built = join(bench, "../.cache/bench");

const javaFolder = join(built, "javacp");

/** `fairlead` is the library; `embedded` and `nats` are the whole product on either store; the others are peers. */
export type Contestant = "fairlead" | "embedded" | "nats" | "floor" | "linear" | "tuned" | "snapshot" | "java";

/** With FAIRLEAD_BENCH_PROFILE=FOLDER each server on Node leaves a profile of its processor time there. */
const profileFolder = process.env.FAIRLEAD_BENCH_PROFILE;
export const profiling = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];

/** The server under test has one processor; the load client, and whoever writes, another. On a single one they share. */
export const SERVER_CORE = cpus().length > 1 ? 0 : undefined;
const CLIENT_CORE = cpus().length > 1 ? 1 : undefined;

/**
 * Builds the load client and the peers that take part; later calls find everything done.
 *
 * @throws Error when Go, or Maven where it is needed, is missing, or they do not build.
 */
export function buildPrograms(contestants: ReadonlySet<Contestant>, progress: (line: string) => void): void {
  mkdirSync(built, { recursive: true });
  for (const [name, folder] of Object.entries({ loadclient: "loadclient", gocp: "peers/gocp" })) {
    progress(`building ${name}`);
    output("go", ["build", "-o", join(built, name), "."], { cwd: join(bench, folder) });
  }
  if (!contestants.has("java")) return;
  progress("building javacp");
  const project = join(bench, "peers/javacp");
  const goals = ["package", "dependency:copy-dependencies"];
  output("mvn", ["-q", "-B", `-Dbench.built=${javaFolder}`, `-DoutputDirectory=${javaFolder}/lib`, ...goals], {
    cwd: project,
  });
}

/** A certificate for loopback, made anew. */
export function makeCertificate(): { certificate: string; key: string } {
  output(join(built, "loadclient"), ["certificate", built]);
  return { certificate: join(built, "certificate.pem"), key: join(built, "key.pem") };
}

export function loadClientProgram(): Program {
  return { name: "the load client", command: join(built, "loadclient"), args: [], core: CLIENT_CORE };
}

export function serverProgram(contestant: Contestant): Program {
  if (contestant === "fairlead" || contestant === "floor") {
    const args = ["--expose-gc", ...profiling, join(import.meta.dirname, `servers/${contestant}.ts`)];
    return { name: contestant, command: process.execPath, args, core: SERVER_CORE };
  }
  if (contestant === "java") {
    const args = ["-cp", `${javaFolder}/classes:${javaFolder}/lib/*`, "fairlead.bench.Main"];
    return { name: "java-control-plane", command: "java", args, core: SERVER_CORE };
  }
  return { name: `go-control-plane ${contestant}`, command: join(built, "gocp"), args: [], core: SERVER_CORE };
}

export function goVersions(): Record<string, string> {
  const modules = output("go", ["list", "-m", "-f", "{{.Path}} {{.Version}}", "all"], {
    cwd: join(bench, "peers/gocp"),
  });
  const versionOf = (path: string) =>
    modules
      .split("\n")
      .find((line) => line.startsWith(`${path} `))
      ?.split(" ")[1] ?? "";
  return {
    go: output("go", ["env", "GOVERSION"]).trim(),
    "go-control-plane": versionOf("github.com/envoyproxy/go-control-plane"),
    "grpc-go": versionOf("google.golang.org/grpc"),
  };
}

/** Keeps this process, which writes the changes of W8, away from the server's processor. */
export function pinDriver(): void {
  if (CLIENT_CORE === undefined) return;
  output("taskset", ["--all-tasks", "--pid", "--cpu-list", String(CLIENT_CORE), String(process.pid)]);
}
