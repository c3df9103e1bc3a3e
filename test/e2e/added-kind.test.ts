import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AddedKind, addKind } from "../support/added-kind.ts";
import { startChild } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { manifest, service } from "../support/manifest.ts";
import { type Plane, startPlane } from "../support/plane.ts";
import { tempFolder } from "../support/temp-folder.ts";

describe("a kind of object that is added by its proto, its noun, its entry and what the compiler asks for", () => {
  const folder = tempFolder();
  let added: AddedKind;
  let plane: Plane;

  beforeAll(async () => {
    added = addKind(folder.path);
    plane = await startPlane({ main: added.main });
    await plane.mustApply(manifest(service("shop")));
  });
  afterAll(async () => {
    await plane?.[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const beacon = (brightness: number, name = "sea", of = "shop") =>
    `kind: Beacon\nname: ${name}\nservice: ${of}\nbrightness: ${brightness}\n`;
  const stored = async () => JSON.parse(await plane.mustCli("get", "beacon", "sea", "-o", "json"));

  test("the compiler names each file that has a line for every kind, and then has nothing to say", () => {
    expect(added.unfinished).toEqual(expect.arrayContaining([...added.asked]));
    expect(added.errors).toBe("");
  });

  test("apply, dry run, its limits, history and rollback", async () => {
    expect(await plane.mustApply(beacon(1), "--dry-run")).toContain("+ beacon sea");
    await plane.mustApply(beacon(1));
    expect(await plane.mustApply(beacon(1))).toContain("1 unchanged");
    expect((await plane.apply(beacon(101))).stderr).toContain("must be from 0 to 100, not 101");
    expect(await plane.mustApply(beacon(2))).toContain("brightness");
    const { uid } = (await stored()).meta;
    expect(await plane.mustCli("history", "bc/sea", "-o", "json")).toMatch(/"generation": ?"2"/);
    await plane.mustCli("rollback", "beacon", "sea", "--to", "1");
    expect(await stored()).toMatchObject({ brightness: 1, meta: { uid, generation: "3" } });
    expect(await plane.mustCli("get", "beacons")).toMatch(/^NAME +SERVICE +BRIGHTNESS\nsea +shop +1\n$/);
  });

  test("what it refers to: told of when it is missing, and kept from being deleted", async () => {
    expect(await plane.mustApply(beacon(1, "lost", "nowhere"))).toContain("there is no service nowhere");
    expect((await plane.cli("delete", "service", "shop")).stderr).toContain("is referred to by beacon sea");
    await plane.mustCli("delete", "beacon/lost");
  });

  test("why it is as it is", async () => {
    const text = await plane.mustCli("explain", "bc/sea");
    expect(text).toContain("nothing is wrong with it");
    expect(text).toMatch(/refers to +service shop\n/);
  });

  test("a commit that is taken back, a set that is pruned", async () => {
    const { revision } = JSON.parse(await plane.mustApply(beacon(3), "-o", "json"));
    await plane.mustCli("rollback", "--revision", revision);
    expect(await stored()).toMatchObject({ brightness: 1 });
    await plane.mustApply(`${beacon(1, "one")}---\n${beacon(1, "two")}`, "--owner", "coast");
    const pruned = await plane.mustApply(beacon(1, "two"), "--owner", "coast", "--prune", "--allow-removal");
    expect(pruned).toContain("- beacon one");
    await plane.mustCli("delete", "beacon", "two");
  });

  test("watch and completion", async () => {
    const child = startChild({
      name: "watch",
      program: process.execPath,
      args: [added.main, "watch", "beacon", "--present"],
      logFile: join(folder.path, "watch.log"),
      env: { ...process.env, FAIRLEAD_SERVER: plane.addresses.admin },
    });
    await eventually(
      async () => child.log(),
      (log) => log.includes("beacon sea"),
      { what: "it is told of" },
    );
    await plane.mustApply(beacon(4));
    await eventually(
      async () => child.log(),
      (log) => /~ beacon sea.*brightness/.test(log),
      { what: "it changes" },
    );
    await child.stop();
    expect(await plane.mustCli("__complete", "get", "beacon", "")).toContain("sea");
  });

  test("export and import, which bring it back as itself", async () => {
    const file = join(folder.path, "all.yaml");
    await plane.mustCli("export", file);
    expect(readFileSync(file, "utf8")).toContain("kind: Beacon");
    const { uid } = (await stored()).meta;
    await plane.mustCli("delete", "beacon", "sea");
    await plane.mustCli("import", file, "--replace");
    expect((await stored()).meta.uid).toBe(uid);
  });
});
