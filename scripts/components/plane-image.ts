/** The plane's own image: the npm package as it would be published, installed on the Node that it needs. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { output } from "./search.ts";

const root = join(import.meta.dirname, "../..");

export const PLANE_IMAGE = "fairlead:local";

/** Packs the checkout and builds the image from it. @throws Error with what npm or the engine complain about. */
export function buildPlaneImage(): void {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-plane-"));
  try {
    output("npm", ["pack", "--pack-destination", folder], { cwd: root });
    const tarball = readdirSync(folder).find((file) => file.endsWith(".tgz"));
    if (tarball === undefined) throw new Error("npm pack made no tarball");
    writeFileSync(join(folder, "package.json"), '{ "private": true }');
    const quietly = ["--prefer-offline", "--no-audit", "--no-fund", "--omit=dev"];
    output("npm", ["install", ...quietly, `./${tarball}`], { cwd: folder });
    const build = ["build", "--quiet", "--tag", PLANE_IMAGE, "--build-arg", `NODE_VERSION=${process.versions.node}`];
    output("docker", [...build, "--file", join(root, "compose/Dockerfile"), folder]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
