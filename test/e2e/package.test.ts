import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { packCheckout, unpackPinned } from "../../scripts/components/plane-image.ts";
import { startChild } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { tempFolder } from "../support/temp-folder.ts";

const root = join(import.meta.dirname, "../..");

let tarball: string;

beforeAll(() => {
  const folder = tempFolder();
  tarball = packCheckout(folder.path);
  return () => folder[Symbol.dispose]();
});

const json = (...path: readonly string[]) => JSON.parse(readFileSync(join(...path), "utf8")) as unknown;

test("the package carries what it was tested with: each dependency's version and content, to install and to audit", () => {
  using folder = tempFolder();
  const unpacked = join(folder.path, "plane");
  unpackPinned(tarball, unpacked);
  type Lock = { packages: Readonly<Record<string, { version: string; integrity: string; dev?: boolean }>> };
  const { packages } = json(unpacked, "npm-shrinkwrap.json") as Lock;
  const pinned = Object.entries(packages).filter(([place]) => place !== "");
  const tested = Object.entries((json(root, "package-lock.json") as Lock).packages);
  expect(pinned).toEqual(tested.filter(([place, { dev }]) => place !== "" && dev !== true));
  expect(pinned.length).toBeGreaterThan(50);
  for (const [place, { version, integrity }] of pinned) {
    expect(integrity).toMatch(/^sha512-/);
    expect(json(unpacked, place, "package.json")).toMatchObject({ version });
  }

  type Bill = { components: readonly { purl: string; hashes: readonly { alg: string; content: string }[] }[] };
  const bill = json(unpacked, "sbom.cdx.json") as Bill;
  expect(bill).toMatchObject({
    bomFormat: "CycloneDX",
    metadata: { component: { name: "fairlead", version: "0.1.0" } },
  });
  const listed = bill.components.flatMap(({ hashes }) => hashes.map(({ content }) => content));
  const installed = pinned.map(([, { integrity }]) => Buffer.from(integrity.slice("sha512-".length), "base64"));
  expect(listed.toSorted()).toEqual(installed.map((hash) => hash.toString("hex")).toSorted());
  // A shrinkwrap that stayed would be taken for the lockfile of the checkout.
  expect(["npm-shrinkwrap.json", "sbom.cdx.json"].filter((file) => existsSync(join(root, file)))).toEqual([]);
});

test("the packed tarball, installed elsewhere, is a working fairlead", async () => {
  using folder = tempFolder();
  writeFileSync(join(folder.path, "package.json"), '{ "private": true, "type": "module" }');
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball];
  execFileSync("npm", install, { cwd: folder.path, stdio: ["ignore", "pipe", "pipe"] });

  const binary = join(folder.path, "node_modules/.bin/fairlead");
  const fairlead = (...args: readonly string[]) =>
    execFileSync(process.execPath, [binary, ...args], { encoding: "utf8" });
  expect(fairlead("version")).toContain("0.1.0");
  expect(fairlead("bootstrap", "--node-id", "a", "--fleet", "edge")).toContain("ads_config");

  const listen = ["--xds", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  const plane = startChild({
    name: "installed fairlead",
    program: process.execPath,
    args: [binary, "up", "--data", join(folder.path, "data"), ...listen],
    logFile: join(folder.path, "log"),
  });
  const explain = () => plane.logTail();
  const line = await eventually(
    () =>
      plane
        .log()
        .split("\n")
        .find((text) => text.includes('"msg":"listening"') && text.endsWith("}")),
    (text) => text !== undefined,
    { what: "the installed plane listens", explain },
  );
  const { http } = JSON.parse(line ?? "{}") as { http: string };
  expect((await fetch(`http://${http}/readyz`)).status).toBe(200);
  expect(await plane.stop()).toBe(0);

  const library = 'import { XdsServer } from "fairlead/xds"; console.log(typeof XdsServer);';
  writeFileSync(join(folder.path, "library.js"), library);
  expect(execFileSync(process.execPath, [join(folder.path, "library.js")], { encoding: "utf8" }).trim()).toBe(
    "function",
  );
});
