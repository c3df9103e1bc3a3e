import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { packCheckout } from "../../scripts/components/plane-image.ts";
import { startChild } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { blocksOf } from "../support/markdown.ts";
import { tempFolder } from "../support/temp-folder.ts";

const root = join(import.meta.dirname, "../..");

const generated = join(root, "src/gen/stamp.json");

let tarball: string;
/** When `src/gen` was made: before packing, and after. */
const generatedAt: number[] = [];

beforeAll(() => {
  const folder = tempFolder();
  generatedAt.push(statSync(generated).mtimeMs);
  tarball = packCheckout(folder.path);
  generatedAt.push(statSync(generated).mtimeMs);
  return () => folder[Symbol.dispose]();
});

test("./fairlead runs a checkout from anywhere, and says what a fresh one lacks", () => {
  using folder = tempFolder();
  const script = join(root, "fairlead");
  const link = join(folder.path, "link");
  symlinkSync(script, link);
  const options = { cwd: folder.path, encoding: "utf8" } as const;
  expect(spawnSync(link, ["--version"], options)).toMatchObject({ status: 0, stdout: "fairlead 0.1.0\n" });
  const fresh = join(folder.path, "fairlead");
  copyFileSync(script, fresh);
  expect(spawnSync(fresh, [], options)).toMatchObject({
    status: 1,
    stdout: "",
    stderr: expect.stringMatching(/^fairlead: run `npm ci`.* first\n$/),
  });
});

test("packing, which runs `prepare`, generates nothing that is there already", () => {
  expect(generatedAt[1]).toBe(generatedAt[0]);
});

const json = (...path: readonly string[]) => JSON.parse(readFileSync(join(...path), "utf8")) as unknown;

test("installed as docs/installing.md says, it is what was tested: each dependency's version and content", () => {
  using folder = tempFolder();
  const [install] = blocksOf("docs/installing.md", "The package");
  const bin = join(folder.path, "usr/local/bin");
  mkdirSync(bin, { recursive: true });
  const commands = (install?.text ?? "")
    .replaceAll(/\/opt|\/usr\/local/g, (path) => join(folder.path, path))
    .replaceAll("fairlead-0.1.0.tgz", tarball)
    .replaceAll("npm ci ", "npm ci --prefer-offline --no-audit --no-fund ");
  const env = { ...process.env, PATH: `${bin}:${dirname(process.execPath)}:${process.env["PATH"]}` };
  const said = execFileSync("bash", ["-ec", commands], { cwd: folder.path, env, encoding: "utf8" });
  expect(said).toMatch(/^fairlead 0\.1\.0\n$/m);
  const unpacked = join(folder.path, "opt/fairlead");

  // The unit that it carries is one that systemd takes, of a command that this installation has.
  const unit = readFileSync(join(unpacked, "systemd/fairlead.service"), "utf8");
  expect(unit).toContain("\nExecStart=/usr/local/bin/fairlead up --config /etc/fairlead/fairlead.yaml\n");
  const unitFile = join(folder.path, "fairlead.service");
  writeFileSync(unitFile, unit.replace("/usr/local/bin/fairlead", join(bin, "fairlead")));
  const verified = spawnSync("systemd-analyze", ["verify", unitFile], { encoding: "utf8" });
  expect({ status: verified.status, said: verified.stderr }).toEqual({ status: 0, said: "" });

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

  // The configuration of the service, with other ports.
  const [config] = blocksOf("docs/installing.md", "As a service").filter(({ language }) => language === "yaml");
  const configFile = join(folder.path, "fairlead.yaml");
  writeFileSync(configFile, (config?.text ?? "").replace("/var/lib/fairlead", join(folder.path, "data")));
  const listen = ["--xds", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  const plane = startChild({
    name: "installed fairlead",
    program: process.execPath,
    args: [binary, "up", "--config", configFile, ...listen],
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
