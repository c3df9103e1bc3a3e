import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/runtime/clock.ts";
import { openSqliteStore } from "../../../src/store/sqlite-store.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function folder(): string {
  const made = tempFolder();
  cleanups.push(() => made[Symbol.dispose]());
  return made.path;
}

const open = (directory: string) => openSqliteStore({ directory, clock: systemClock });

function makeDatabase(directory: string, sql: string): string {
  const path = join(directory, "fairlead.db");
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
  return path;
}

describe("the data directory", () => {
  it("is made when it does not exist, for its owner only", async () => {
    const directory = join(folder(), "a", "b");
    const { state } = await open(directory);
    await state.close();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it("can be closed twice and opened again", async () => {
    const directory = folder();
    const first = await open(directory);
    await first.state.close();
    await first.state.close();
    const second = await open(directory);
    expect((await second.state.read("")).entries).toEqual([]);
    await second.state.close();
  });

  it("is refused to a second opener while the first holds it, with the holder's process id", async () => {
    const directory = folder();
    const { state } = await open(directory);
    cleanups.push(() => state.close());
    await expect(open(directory)).rejects.toMatchObject({
      kind: "precondition",
      code: "STORE_IN_USE",
      details: { directory, pid: String(process.pid) },
    });
    expect(await state.read("")).toMatchObject({ entries: [] });
  });

  it("is free again once its holder was killed", async () => {
    const directory = folder();
    const store = new URL("../../../src/store/sqlite-store.ts", import.meta.url).href;
    const clock = new URL("../../../src/runtime/clock.ts", import.meta.url).href;
    const script = `
      const { openSqliteStore } = await import(${JSON.stringify(store)});
      const { systemClock } = await import(${JSON.stringify(clock)});
      await openSqliteStore({ directory: ${JSON.stringify(directory)}, clock: systemClock });
      console.log("open");
      setInterval(() => {}, 1000);
    `;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(holder, "exit");
    await once(holder.stdout, "data");
    await expect(open(directory)).rejects.toMatchObject({ code: "STORE_IN_USE", details: { pid: String(holder.pid) } });
    holder.kill("SIGKILL");
    await exited;
    const { state } = await open(directory);
    await state.close();
  });

  it("is refused when it cannot be written", async () => {
    const below = join(folder(), "file");
    writeFileSync(below, "");
    await expect(open(below)).rejects.toMatchObject({ kind: "precondition", code: "DATA_NOT_WRITABLE" });
    await expect(open("/proc/fairlead")).rejects.toMatchObject({ kind: "precondition", code: "DATA_NOT_WRITABLE" });
    const blocked = folder();
    mkdirSync(join(blocked, "fairlead.db"));
    await expect(open(blocked)).rejects.toMatchObject({ kind: "precondition", code: "DATA_NOT_WRITABLE" });
  });

  it("is refused, and left as it is, when a newer release wrote it", async () => {
    const directory = folder();
    const { state } = await open(directory);
    await state.close();
    const path = makeDatabase(directory, "PRAGMA user_version = 999");
    const before = readFileSync(path);
    await expect(open(directory)).rejects.toMatchObject({
      kind: "precondition",
      code: "WRITTEN_BY_NEWER_RELEASE",
      details: { found: "999" },
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("is refused, and left as it is, when no release wrote its schema", async () => {
    const directory = folder();
    const { state } = await open(directory);
    await state.close();
    const path = makeDatabase(directory, "PRAGMA user_version = 1");
    const before = readFileSync(path);
    await expect(open(directory)).rejects.toMatchObject({ code: "NOT_A_FAIRLEAD_STORE", details: { path } });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("is refused, and left as it is, when it belongs to another application", async () => {
    const directory = folder();
    const path = makeDatabase(directory, "CREATE TABLE songs (title TEXT)");
    const before = readFileSync(path);
    await expect(open(directory)).rejects.toMatchObject({ kind: "precondition", code: "NOT_A_FAIRLEAD_STORE" });
    expect(readFileSync(path).equals(before)).toBe(true);

    const other = folder();
    writeFileSync(join(other, "fairlead.db"), "this is a text and no database at all ".repeat(100));
    await expect(open(other)).rejects.toMatchObject({ kind: "precondition", code: "NOT_A_FAIRLEAD_STORE" });
  });
});
