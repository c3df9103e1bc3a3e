import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startChild } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { tempFolder } from "../support/temp-folder.ts";

const root = join(import.meta.dirname, "../..");

test("the packed tarball, installed elsewhere, is a working fairlead", async () => {
  using folder = tempFolder();
  const npm = (cwd: string, ...args: readonly string[]) =>
    execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  npm(root, "pack", "--pack-destination", folder.path);
  const tarball = readdirSync(folder.path).find((file) => file.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("npm pack made no tarball");
  writeFileSync(join(folder.path, "package.json"), '{ "private": true, "type": "module" }');
  npm(folder.path, "install", "--prefer-offline", "--no-audit", "--no-fund", `./${tarball}`);

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
