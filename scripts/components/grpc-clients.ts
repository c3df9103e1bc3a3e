/** What the proxyless gRPC clients of the tests are made of: grpcio from the Python package index, and programs in Go and Java that are built here. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { addToCache, cachedProgram, inCache } from "./cache.ts";
import { type Component, output, searchPlaces } from "./search.ts";

const GRPCIO_VERSION = "1.85.1";
const CLIENTS = join(import.meta.dirname, "../../test/e2e/grpc-clients");

/** The folder to name in PYTHONPATH. @throws Error that lists every place that was tried. */
export function provideGrpcio(progress: (line: string) => void): Component {
  // The wheel holds machine code for one Python.
  const abi = () => output("python3", ["-c", "import sysconfig; print(sysconfig.get_config_var('SOABI'))"]).trim();
  const place = () => cachedProgram("grpcio", `${GRPCIO_VERSION}-${abi()}`);
  const found = () => ({ path: inCache(place()), version: GRPCIO_VERSION });
  const fetched = () => {
    progress(`fetching grpcio ${GRPCIO_VERSION} (7 MB)`);
    addToCache(place(), (folder) => {
      const install = ["install", "--only-binary=:all:", "--disable-pip-version-check", "--quiet"];
      const target = join(folder, "packages");
      output("python3", ["-m", "pip", ...install, "--target", target, `grpcio==${GRPCIO_VERSION}`]);
      return target;
    });
    return found();
  };
  return searchPlaces(
    `grpcio ${GRPCIO_VERSION}`,
    [
      { name: "the cache", look: found },
      { name: "the Python package index", look: fetched },
    ],
    "Put a Python 3 with pip on the PATH.",
  );
}

/** The client program over grpc-go. @throws Error that lists every place that was tried. */
export function provideGoClient(progress: (line: string) => void): Component {
  const sources = join(CLIENTS, "go");
  const version = hashOf(sources, "go.mod", "go.sum", "main.go");
  const place = cachedProgram("grpc-go-client", version);
  const found = () => ({ path: inCache(place), version });
  const built = () => {
    progress("building the grpc-go client (a minute or more)");
    addToCache(place, (folder) => {
      const program = join(folder, "client");
      output("go", ["build", "-trimpath", "-o", program, "."], { cwd: sources });
      return program;
    });
    return found();
  };
  return searchPlaces(
    "the grpc-go client",
    [
      { name: "the cache", look: found },
      { name: "go build", look: built },
    ],
    "Put a Go that go.mod allows on the PATH.",
  );
}

/** A folder for the class path, with the class `Client` over grpc-java and the jars that it needs. @throws Error that lists every place that was tried. */
export function provideJavaClient(progress: (line: string) => void): Component {
  const sources = join(CLIENTS, "java");
  const version = hashOf(sources, "pom.xml", "Client.java");
  const place = cachedProgram("grpc-java-client", version);
  const found = () => ({ path: inCache(place), version });
  const built = () => {
    progress("building the grpc-java client (44 MB)");
    addToCache(place, (folder) => {
      const classPath = join(folder, "classes");
      output("mvn", ["-q", "-B", "dependency:copy-dependencies", `-DoutputDirectory=${classPath}`], { cwd: sources });
      const compile = ["--release", "17", "-cp", join(classPath, "*"), "-d", classPath];
      output("javac", [...compile, join(sources, "Client.java")]);
      return classPath;
    });
    return found();
  };
  return searchPlaces(
    "the grpc-java client",
    [
      { name: "the cache", look: found },
      { name: "mvn and javac", look: built },
    ],
    "Put a JDK 17 or later and Maven on the PATH.",
  );
}

function hashOf(folder: string, ...files: string[]): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(join(folder, file)));
  return hash.digest("hex").slice(0, 16);
}
