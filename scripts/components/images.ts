/**
 * The images of the compose set-up, under the names that it uses: what is there already, else what can be pulled, else what
 * is put together here from the same programs that the tests run as processes, on a Debian that debootstrap unpacks.
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

const IMAGES = {
  envoy: `envoyproxy/envoy:v${ENVOY_VERSIONS.newest}`,
  nats: "nats:2.15.2",
  node: `node:${process.versions.node}-bookworm-slim`,
} as const;

type Progress = (line: string) => void;

/** @throws Error that lists every way that was tried. */
export function provideImages(progress: Progress): void {
  provide(BASE, progress, () => unpackDebian());
  provide(IMAGES.envoy, progress, () => {
    const { path } = provideEnvoy({ version: ENVOY_VERSIONS.newest, orOther: false, progress });
    buildAround(IMAGES.envoy, path);
  });
  provide(IMAGES.nats, progress, () => buildAround(IMAGES.nats, provideNatsServer(progress).path));
  provide(IMAGES.node, progress, () => buildAround(IMAGES.node, process.execPath));
}

function provide(image: string, progress: Progress, make: () => void): void {
  const inspect = () => {
    const version = output("docker", ["image", "inspect", "--format", "{{.Id}}", image]).trim();
    return { path: image, version };
  };
  const pull = () => {
    progress(`pulling ${image}`);
    output("timeout", [String(PULL_TIMEOUT_S), "docker", "pull", "--quiet", image]);
    return inspect();
  };
  const build = () => {
    progress(`building ${image}`);
    make();
    return inspect();
  };
  const places = [
    { name: "the engine", look: inspect },
    { name: "docker pull", look: pull },
    { name: "a build of our own", look: build },
  ];
  searchPlaces(`the image ${image}`, places, `Make ${image} known to the engine.`);
}

/** Needs root and the package `debootstrap`; takes half a minute. */
function unpackDebian(): void {
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
function buildAround(image: string, program: string): void {
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
