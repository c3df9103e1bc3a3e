/**
 * The images of the compose set-up, under the names that it uses: what is there already, else what can be pulled by the
 * digest that is written down here, else what is put together here from the same programs that the tests run as processes,
 * on a Debian that debootstrap unpacks. Nothing is pulled by its name alone.
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ENVOY_VERSIONS, provideEnvoy } from "./envoy.ts";
import { provideNatsServer } from "./nats-server.ts";
import { onPath, output, searchPlaces } from "./search.ts";

const BASE = "debian:bookworm-slim";
const DEBIAN = "bookworm";
/** What Node is linked against and a minimal Debian lacks. */
const LIBRARIES = "libatomic1";
const PULL_TIMEOUT_S = 120;

export interface Image {
  /** As `compose.yaml` and Dockerfiles call it. */
  readonly name: string;
  /** Of the index over all platforms: what is pulled is that and nothing else. Whoever raises the version finds it anew. */
  readonly digest?: `sha256:${string}`;
}

export const IMAGES = {
  // Whoever knows the digests of these two from their publishers may write them down.
  envoy: { name: `envoyproxy/envoy:v${ENVOY_VERSIONS.newest}` },
  nats: { name: "nats:2.15.2" },
  node: {
    name: "node:26.10.0-bookworm-slim",
    digest: "sha256:662933cf47f013bc8e4beb31a6116448427a82057ba7c42c97e4c5ba766504c2",
  },
} as const satisfies Record<string, Image>;

type Progress = (line: string) => void;

/** @throws Error that lists every way that was tried. */
export function provideImages(progress: Progress): void {
  const { envoy, nats, node } = IMAGES;
  provide(envoy, progress, () => provideEnvoy({ version: ENVOY_VERSIONS.newest, orOther: false, progress }).path);
  provide(nats, progress, () => provideNatsServer(progress).path);
  provide(node, progress, () => process.execPath);
}

/** `program` finds what an image of our own would run. */
function provide(image: Image, progress: Progress, program: () => string): void {
  const { name } = image;
  const inspect = () => ({ path: name, version: inspected(name, "{{.Id}}") });
  const pull = () => {
    pullImage(image, progress);
    return inspect();
  };
  const build = () => {
    progress(`building ${name}`);
    buildAround(name, program(), progress);
    return inspect();
  };
  const places = [
    { name: "the engine", look: inspect },
    { name: "docker pull", look: pull },
    { name: "a build of our own", look: build },
  ];
  searchPlaces(
    `the image ${name}`,
    places,
    `Make ${name} known to the engine: \`docker pull ${name}\` trusts its name.`,
  );
}

/** Puts what it pulls by digest under its plain name. */
function pullImage({ name, digest }: Image, progress: Progress): void {
  if (digest === undefined)
    throw new Error("no digest of it is written down here, and nothing is pulled by its name alone");
  const pulled = `${name.replace(/:.*/, "")}@${digest}`;
  progress(`pulling ${pulled}`);
  output("timeout", [String(PULL_TIMEOUT_S), "docker", "pull", "--quiet", pulled]);
  output("docker", ["tag", pulled, name]);
}

function inspected(name: string, format: string): string {
  return output("docker", ["image", "inspect", "--format", format, name]).trim();
}

/** Needs root and the package `debootstrap`, and half a minute, unless it was done before. */
function provideBase(progress: Progress): void {
  try {
    inspected(BASE, "{{.Id}}");
    return;
  } catch {
    progress(`building ${BASE}`);
  }
  const folder = mkdtempSync(join(tmpdir(), "fairlead-debian-"));
  try {
    output(onPath("debootstrap"), [
      "--variant=minbase",
      `--include=${LIBRARIES}`,
      DEBIAN,
      join(folder, "root"),
      mirrorOfApt(),
    ]);
    output("sh", ["-c", `tar -C "$1" -c . | docker import - "$2"`, "sh", join(folder, "root"), BASE]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The mirror that this machine's own packages come from. */
function mirrorOfApt(): string {
  const listed = output("apt-get", ["indextargets", "--format", "$(RELEASE) $(SITE)", "Created-By: Packages"]);
  const line = listed.split("\n").find((text) => text.startsWith(`${DEBIAN} `));
  if (line === undefined) throw new Error(`apt knows no mirror of Debian ${DEBIAN}`);
  return line.slice(DEBIAN.length + 1);
}

/** An image that runs one program, as the official one does. */
function buildAround(image: string, program: string, progress: Progress): void {
  provideBase(progress);
  const folder = mkdtempSync(join(tmpdir(), "fairlead-image-"));
  const name = basename(program);
  try {
    copyFileSync(program, join(folder, name));
    writeFileSync(
      join(folder, "Dockerfile"),
      `FROM ${BASE}\nCOPY ${name} /usr/local/bin/${name}\nENTRYPOINT ["${name}"]\n`,
    );
    output("docker", ["build", "--quiet", "--tag", image, folder]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
