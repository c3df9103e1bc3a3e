import { describe, expect, it } from "vitest";
import { runAgainst } from "./fake-plane.ts";

async function complete(...words: readonly string[]): Promise<string[]> {
  const { code, stdout } = await runAgainst({}, ["__complete", ...words]);
  expect(code).toBe(0);
  return stdout.split("\n").filter((line) => line !== "");
}

describe("completion", () => {
  it("offers commands, kinds, options and their choices", async () => {
    expect(await complete("reg")).toEqual(["register"]);
    expect(await complete("get", "ro")).toEqual(["route"]);
    expect(await complete("get", "service", "-o", "")).toEqual(["table", "json", "yaml"]);
    expect(await complete("drain", "shop/a", "--u")).toEqual(["--undo"]);
    expect(await complete("--server", "h:1", "completion", "z")).toEqual(["zsh"]);
  });

  it("offers nothing where a file or a name stands", async () => {
    expect(await complete("apply", "-f", "")).toEqual([]);
    expect(await complete("get", "service", "")).toEqual([]);
  });

  it("goes on with kinds where several may be given", async () => {
    expect(await complete("watch", "health", "back")).toEqual(["backend"]);
  });

  it.each(["bash", "zsh", "fish"])("has a script for %s", async (shell) => {
    expect((await runAgainst({}, ["completion", shell])).stdout).toContain("fairlead __complete");
  });
});
