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

  it("offers the names of objects, proxies and generations that the plane knows", async () => {
    const answers = {
      ListServices: () => ({ services: [{ name: "shop" }, { name: "pay" }] }),
      ListBackends: () => ({ backends: [{ name: "shop/a" }] }),
      ListNodes: () => ({ nodes: [{ id: "edge-1" }, { id: "edge-1" }] }),
      ListHistory: () => ({ entries: [{ generation: 17n }, { generation: 16n }] }),
    };
    const words = async (...typed: string[]) =>
      (await runAgainst(answers, ["__complete", ...typed])).stdout.trimEnd().split("\n");
    expect(await words("get", "services", "s")).toEqual(["shop"]);
    expect(await words("delete", "service", "")).toEqual(["shop", "pay"]);
    expect(await words("drain", "sh")).toEqual(["shop/a"]);
    expect(await words("health", "")).toEqual(["shop/a"]);
    expect(await words("node", "")).toEqual(["edge-1"]);
    expect(await words("explain", "")).toEqual([
      "backend",
      "service",
      "policy",
      "listener",
      "route",
      "fleet",
      "node",
      "request",
    ]);
    expect(await words("explain", "node", "e")).toEqual(["edge-1"]);
    expect(await words("explain", "service", "p")).toEqual(["pay"]);
    expect(await words("rollback", "service", "shop", "--to", "")).toEqual(["17", "16"]);
    expect(await words("rollback", "svc/shop", "--to", "")).toEqual(["17", "16"]);
    expect(await words("get", "svc", "s")).toEqual(["shop"]);
    expect(await words("get", "svc/s")).toEqual(["svc/shop"]);
    expect(await words("get", "backend/sh")).toEqual(["backend/shop/a"]);
    expect(await words("explain", "service/")).toEqual(["service/shop", "service/pay"]);
    expect(await words("explain", "svc", "p")).toEqual(["pay"]);
    expect(await words("explain", "node/")).toEqual(["node/edge-1"]);
    expect(await words("get", "service/shop", "")).toEqual([""]);
    expect(await words("get", "service/", "")).toEqual([""]);
    expect(await words("watch", "service/")).toEqual([""]);
    expect(await words("register", "")).toEqual([""]);
  });

  it("offers nothing, and says nothing, where no plane answers", async () => {
    const run = await runAgainst({}, ["__complete", "get", "service", ""]);
    expect(run).toMatchObject({ code: 0, stdout: "", stderr: "" });
  });

  it("goes on with kinds where several may be given", async () => {
    expect(await complete("watch", "health", "back")).toEqual(["backend"]);
  });

  it.each(["bash", "zsh", "fish"])("has a script for %s", async (shell) => {
    expect((await runAgainst({}, ["completion", shell])).stdout).toContain("fairlead __complete");
  });
});
