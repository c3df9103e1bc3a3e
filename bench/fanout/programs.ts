/** The programs of the benchmark, built where they are written in Go. */
import { mkdirSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { output } from "../../scripts/components/search.ts";
import type { Program } from "./process.ts";

const bench = join(import.meta.dirname, "..");
const built = join(bench, "../.cache/bench");

export type Contestant = "fairlead" | "floor" | "linear" | "tuned" | "snapshot";

/** With FAIRLEAD_BENCH_PROFILE=FOLDER each server on Node leaves a profile of its processor time there. */
const profileFolder = process.env.FAIRLEAD_BENCH_PROFILE;
const profiling = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];

/** The server under test has one processor, the load client another. On a single one they share. */
const SERVER_CORE = 0;
const CLIENT_CORE = 1;

/** Builds the Go programs; later calls find everything done. @throws Error when Go is missing or they do not build. */
export function buildPrograms(progress: (line: string) => void): void {
  mkdirSync(built, { recursive: true });
  for (const [name, folder] of Object.entries({ loadclient: "loadclient", gocp: "peers/gocp" })) {
    progress(`building ${name}`);
    output("go", ["build", "-o", join(built, name), "."], { cwd: join(bench, folder) });
  }
}

/** A certificate for loopback, made anew. */
export function makeCertificate(): { certificate: string; key: string } {
  output(join(built, "loadclient"), ["certificate", built]);
  return { certificate: join(built, "certificate.pem"), key: join(built, "key.pem") };
}

export function loadClientProgram(): Program {
  return pinned({ name: "the load client", command: join(built, "loadclient"), args: [] }, CLIENT_CORE);
}

export function serverProgram(contestant: Contestant): Program {
  if (contestant === "fairlead" || contestant === "floor") {
    const args = ["--expose-gc", ...profiling, join(import.meta.dirname, `servers/${contestant}.ts`)];
    return pinned({ name: contestant, command: process.execPath, args }, SERVER_CORE);
  }
  return pinned({ name: `go-control-plane ${contestant}`, command: join(built, "gocp"), args: [] }, SERVER_CORE);
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

function pinned(program: Program, core: number): Program {
  return cpus().length > 1 ? { ...program, core } : program;
}
