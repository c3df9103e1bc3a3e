/**
 * Puts the optional packages of other platforms back into package-lock.json.
 *
 * A registry mirror may carry only the platforms that its machines have. `npm install` then leaves the others out of the
 * lockfile without a word, and `npm ci` refuses such a lockfile everywhere. Run this after `npm install` there.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  optionalDependencies?: Record<string, string>;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

const file = join(import.meta.dirname, "../package-lock.json");
const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, LockedPackage> };

const systems = [
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
  "aix",
  "wasm32",
];
const processors = ["arm64", "x64", "arm", "ia32", "ppc64", "riscv64", "s390x", "loong64", "mips64el", "wasm32"];

let added = 0;
for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const words = name.replace(/^@[^/]+\//, "").split(/[-_.]/);
    const os = systems.find((system) => words.includes(system));
    const place = `node_modules/${name}`;
    if (os === undefined || place in lock.packages || !/^\d/.test(version)) continue;
    const cpu = processors.find((processor) => words.includes(processor));
    lock.packages[place] = {
      version,
      ...(cpu === undefined ? {} : { cpu: [cpu] }),
      dev: parent.dev === true,
      ...(words.includes("musl") || words.includes("gnu") ? { libc: [words.includes("musl") ? "musl" : "glibc"] } : {}),
      optional: true,
      os: [os],
    };
    added += 1;
  }
}
const [root, ...rest] = Object.entries(lock.packages);
lock.packages = Object.fromEntries([
  ...(root === undefined ? [] : [root]),
  ...rest.sort(([a], [b]) => (a < b ? -1 : 1)),
]);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added} optional packages of other platforms added`);
