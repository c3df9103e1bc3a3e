import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { MANIFEST_BYTES_MAX, readManifests } from "../../../src/cli/manifest-files.ts";
import { tempFolder } from "../../support/temp-folder.ts";

async function* chunks(...bytes: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* bytes;
}

describe("readManifests", () => {
  it("reads the manifests of a folder by name, and nothing else in it", async () => {
    using folder = tempFolder();
    for (const name of ["b.yml", "a.yaml", "c.json", "D.YAML", "notes.md"])
      writeFileSync(join(folder.path, name), name);
    mkdirSync(join(folder.path, "deeper"));
    mkdirSync(join(folder.path, "old.yaml"));
    const sources = await readManifests([folder.path], chunks());
    expect(sources.map(({ text }) => text)).toEqual(["D.YAML", "a.yaml", "b.yml", "c.json"]);
  });

  it("passes over what editors leave in a folder", async () => {
    using folder = tempFolder();
    const left = [
      ".shop.yaml.swp",
      ".shop.yaml",
      "._shop.yaml",
      "#shop.yaml#",
      "#shop.yaml",
      "shop.yaml~",
      "~shop.yaml",
    ];
    for (const name of [...left, "shop.yaml.orig", "shop.yaml"]) writeFileSync(join(folder.path, name), name);
    // The lock of Emacs is a link to nothing.
    symlinkSync("alice@desk.1234:5678", join(folder.path, ".#shop.yaml"));
    symlinkSync("shop.yaml", join(folder.path, "linked.yaml"));
    const sources = await readManifests([folder.path], chunks());
    expect(sources.map(({ file, text }) => [basename(file), text])).toEqual([
      ["linked.yaml", "shop.yaml"],
      ["shop.yaml", "shop.yaml"],
    ]);
  });

  it("reads standard input for a dash, beside files", async () => {
    using folder = tempFolder();
    writeFileSync(join(folder.path, "a.yaml"), "a");
    const sources = await readManifests([join(folder.path, "a.yaml"), "-"], chunks(Buffer.from("b")));
    expect(sources.map(({ text }) => text)).toEqual(["a", "b"]);
  });

  it("stops reading at the limit", async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given += 1024 * 1024;
        yield Buffer.alloc(1024 * 1024);
      }
    }
    await expect(readManifests(["-"], endless())).rejects.toMatchObject({ exitCode: 1 });
    expect(given).toBeLessThanOrEqual(MANIFEST_BYTES_MAX + 1024 * 1024);
  });

  it.each([
    ["a file that is not there", () => "/nowhere/x.yaml", 1],
    ["a folder without manifests", (folder: string) => folder, 2],
  ])("refuses %s", async (_, path, exitCode) => {
    using folder = tempFolder();
    await expect(readManifests([path(folder.path)], chunks())).rejects.toMatchObject({ exitCode });
  });

  it("refuses bytes that are no text", async () => {
    await expect(readManifests(["-"], chunks(Buffer.from([0xff, 0xfe])))).rejects.toMatchObject({ exitCode: 1 });
  });
});
