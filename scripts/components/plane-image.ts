/** The plane's own image: the npm package as it would be published, with exactly the dependencies that it pins. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IMAGES } from "./images.ts";
import { output } from "./search.ts";

const root = join(import.meta.dirname, "../..");

export const PLANE_IMAGE = "fairlead:local";

/** Packs the checkout and builds the image from it. @throws Error with what npm or the engine complain about. */
export function buildPlaneImage(): void {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-plane-"));
  try {
    unpackPinned(packCheckout(folder), join(folder, "plane"));
    // Under its plain name the engine has the image already, pulled by digest or made here.
    const build = ["build", "--quiet", "--tag", PLANE_IMAGE, "--build-arg", `BASE=${IMAGES.node.name}`];
    output("docker", [...build, "--file", join(root, "compose/Dockerfile"), join(folder, "plane")]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the tarball, which lies in the folder then. */
export function packCheckout(folder: string): string {
  output("npm", ["pack", "--pack-destination", folder], { cwd: root });
  const tarball = readdirSync(folder).find((file) => file.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("npm pack made no tarball");
  return join(folder, tarball);
}

/**
 * Unpacks the package into a folder and installs what its shrinkwrap names, nothing else and nothing of other content.
 * `npm install` of a tarball does not look into it: npm believes a shrinkwrap only where a registry tells of it.
 */
export function unpackPinned(tarball: string, folder: string): void {
  mkdirSync(folder);
  output("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"]);
  output("npm", ["pkg", "delete", "devDependencies"], { cwd: folder });
  output("npm", ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"], { cwd: folder });
}
