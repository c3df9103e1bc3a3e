/** What we build on and start: fixed by content where it comes from elsewhere, and with nothing secret or open in it. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { IMAGES, type Image } from "../../scripts/components/images.ts";
import { PLANE_IMAGE } from "../../scripts/components/plane-image.ts";
import { readText, repositoryFiles } from "./source-file.ts";

interface LockedPackage {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, "../..");
const lock = JSON.parse(readText("package-lock.json")) as { packages: Readonly<Record<string, LockedPackage>> };
const locked = Object.entries(lock.packages).filter(([place]) => place !== "");

/** The cure for either: `npm install --package-lock-only --ignore-scripts` without the entries that lack something. */
describe("the lockfile", () => {
  test("fixes the content of every package", () => {
    const loose = locked.filter(([, { integrity }]) => integrity?.startsWith("sha512-") !== true);
    expect(loose.map(([place]) => place)).toEqual([]);
    expect(locked.length).toBeGreaterThan(300);
  });

  test("has the packages of all platforms, whichever it was written on", () => {
    const missing = locked.flatMap(([, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !locked.some(([place]) => place.endsWith(`node_modules/${name}`)),
      ),
    );
    expect(missing).toEqual([]);
  });

  test("leaves it to npm where packages come from", () => {
    expect(locked.filter(([, { resolved, link }]) => resolved !== undefined || link === true)).toEqual([]);
  });
});

describe("images", () => {
  const images: readonly Image[] = Object.values(IMAGES);

  test("a plane stands on the pinned image of the Node that it is tested with", () => {
    const { node } = IMAGES;
    const { devDependencies } = JSON.parse(readText("package.json")) as { devDependencies: { node: string } };
    expect(node.name).toBe(`node:${devDependencies.node}-bookworm-slim`);
    const [arg, from] = readText("compose/Dockerfile").match(/^(?:ARG|FROM) .*$/gm) ?? [];
    expect(arg).toBe(`ARG BASE=${node.name}@${node.digest}`);
    expect(from).toMatch(/^FROM \$\{BASE\}$/);
  });

  test("compose starts what we provide and nothing else, each of one version", () => {
    const used = new Set(Object.values(services).map(({ image = "" }) => image));
    const provided = [...images.map(({ name }) => name), PLANE_IMAGE];
    expect([...used].filter((name) => !provided.includes(name))).toEqual([]);
    expect(Object.values(services).filter(({ pull_policy }) => pull_policy !== "never")).toEqual([]);
    for (const { name, digest } of images) {
      expect(name).toMatch(/:v?\d+\.\d+\.\d+/);
      if (digest !== undefined) expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    }
  });
});

describe("the set-up in compose/", () => {
  test("opens ports of loopback only, and no admin port", () => {
    const published = Object.values(services).flatMap(({ ports = [] }) => ports);
    expect(published.length).toBeGreaterThan(0);
    for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:\$\{FAIRLEAD_\w+_PORT:-\d+\}:(?:18002|10000)$/);
    expect(parse(readText("compose/plane.yaml"))).toMatchObject({ admin: "127.0.0.1:18001" });
  });
});

describe("the repository", () => {
  test("tracks nothing that is to be ignored", () => {
    const tracked = execFileSync("git", ["ls-files", "--cached", "--ignored", "--exclude-standard"], { cwd: root });
    expect(tracked.toString()).toBe("");
  });

  test("holds no private key", () => {
    const keys = /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}|\bS[UAOCNX][A-Z2-7]{56}\b/;
    expect(keys.test(["-----BEGIN", "PRIVATE", `KEY-----\n${"A".repeat(64)}`].join(" "))).toBe(true);
    expect(keys.test(`SU${"A".repeat(56)}`)).toBe(true);
    expect(repositoryFiles().filter((path) => keys.test(readText(path)))).toEqual([]);
  });
});

const { services } = parse(readText("compose/compose.yaml"), { merge: true }) as {
  services: Readonly<
    Record<string, { readonly image?: string; readonly pull_policy?: string; readonly ports?: readonly string[] }>
  >;
};
