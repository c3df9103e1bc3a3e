/**
 * What the package carries about its dependencies: `npm-shrinkwrap.json`, by which every installation gets the versions and the
 * contents that were tested, and `sbom.cdx.json`, which lists them for auditors (CycloneDX). Both follow from the lockfile
 * alone, so that equal lockfiles give equal files. With `--sbom` only the list is made; with `--remove` both go again, as
 * after packing: npm would take the shrinkwrap for the lockfile of the checkout.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly dev?: true;
  readonly integrity?: string;
}

const root = join(import.meta.dirname, "..");
const shrinkwrapFile = join(root, "npm-shrinkwrap.json");
const sbomFile = join(root, "sbom.cdx.json");
const [mode] = process.argv.slice(2);

for (const file of [shrinkwrapFile, sbomFile]) rmSync(file, { force: true });
if (mode !== "--remove") {
  const locked = withoutDevelopment(readJson("package-lock.json") as Lockfile);
  writeJson(sbomFile, billOfMaterials(locked));
  if (mode !== "--sbom") writeJson(shrinkwrapFile, locked);
}

/** @throws Error for a package whose content is not fixed. */
function withoutDevelopment(lock: Lockfile): Lockfile {
  const packages = Object.entries(lock.packages).flatMap(([place, entry]) => {
    if (entry.dev === true) return [];
    if (place !== "" && entry.integrity === undefined) throw new Error(`package-lock.json: ${place} has no integrity`);
    return [[place, { ...entry, devDependencies: undefined }]];
  });
  return { ...lock, packages: Object.fromEntries(packages) };
}

/**
 * npm's own, of a project that needs nothing for development: its `--omit=dev` also omits what both need. Left out are the
 * moment and the number that would make each one differ.
 */
function billOfMaterials(locked: Lockfile): object {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-sbom-"));
  try {
    // npm names the product after the folder.
    const project = join(folder, "fairlead");
    mkdirSync(project);
    writeJson(join(project, "package.json"), { ...(readJson("package.json") as object), devDependencies: {} });
    writeJson(join(project, "package-lock.json"), locked);
    const args = ["sbom", "--sbom-format=cyclonedx", "--sbom-type=application", "--package-lock-only"];
    const bill = JSON.parse(execFileSync("npm", args, { cwd: project, encoding: "utf8" })) as { metadata: object };
    return { ...bill, serialNumber: undefined, metadata: { ...bill.metadata, timestamp: undefined } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(root, name), "utf8"));
}

function writeJson(file: string, value: object): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}
