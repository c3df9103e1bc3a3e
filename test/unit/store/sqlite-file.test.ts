import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/runtime/clock.ts";
import { openDirectoryStore } from "../../support/embedded-store.ts";
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

const open = (directory: string) => openDirectoryStore({ directory, clock: systemClock });

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
    const store = new URL("../../support/embedded-store.ts", import.meta.url).href;
    const clock = new URL("../../../src/runtime/clock.ts", import.meta.url).href;
    const script = `
      const { openDirectoryStore } = await import(${JSON.stringify(store)});
      const { systemClock } = await import(${JSON.stringify(clock)});
      await openDirectoryStore({ directory: ${JSON.stringify(directory)}, clock: systemClock });
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

  it("keeps the database, and what is beside it, for its owner only, in a directory of others' too", async () => {
    const directory = folder();
    chmodSync(directory, 0o755);
    const modes = () =>
      Object.fromEntries(readdirSync(directory).map((file) => [file, statSync(join(directory, file)).mode & 0o777]));
    const { state } = await open(directory);
    await state.commit({ ops: [], cause: { actor: "", operation: "test", reason: "", requestId: "" } });
    expect(modes()).toEqual({ "fairlead.db": 0o600, "fairlead.db-wal": 0o600, "fairlead.pid": 0o600 });
    await state.close();
    chmodSync(join(directory, "fairlead.db"), 0o644);
    const again = await open(directory);
    expect(modes()).toMatchObject({ "fairlead.db": 0o600 });
    await again.state.close();
  });

  it("writes its process id to no file that somebody else chose, and reads no pipe", async () => {
    const directory = folder();
    const { state } = await open(directory);
    await state.close();
    const victim = join(folder(), "victim");
    writeFileSync(victim, "precious");
    const holder = join(directory, "fairlead.pid");
    symlinkSync(victim, holder);
    const second = await open(directory);
    expect(readFileSync(victim, "utf8")).toBe("precious");
    expect(readFileSync(holder, "utf8")).toBe(`${process.pid}\n`);
    rmSync(holder);
    execFileSync("mkfifo", [holder]);
    await expect(open(directory)).rejects.toMatchObject({ code: "STORE_IN_USE", details: { pid: "unknown" } });
    rmSync(holder);
    writeFileSync(holder, "\u001b[2J");
    await expect(open(directory)).rejects.toMatchObject({ details: { pid: "unknown" } });
    await second.state.close();
  });

  it.each(["fairlead.db-wal", "fairlead.pid"])(
    "never begins with nothing where %s tells of a database that is missing",
    async (left) => {
      const directory = folder();
      writeFileSync(join(directory, left), "1");
      const error = await open(directory).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        kind: "corrupt",
        code: "STORE_CORRUPT",
        details: { path: join(directory, "fairlead.db") },
      });
      expect(String(error)).toContain(left);
      expect(readdirSync(directory)).toEqual([left]);
    },
  );

  it("refuses, by its path and with a cure, a database that is empty, cut short or damaged, and leaves it as it is", async () => {
    const directory = folder();
    const { state } = await open(directory);
    const cause = { actor: "", operation: "test", reason: "", requestId: "" };
    for (let n = 0; n < 50; n++)
      await state.commit({ ops: [{ op: "put", key: `key-${n}`, value: new Uint8Array(2000) }], cause });
    await state.close();
    const path = join(directory, "fairlead.db");
    const whole = readFileSync(path);
    const holed = Buffer.from(whole);
    holed.fill(0x5a, 8192, 40_960);
    for (const [what, content] of [
      ["empty", Buffer.alloc(0)],
      ["cut", whole.subarray(0, 20_000)],
      ["holed", holed],
    ] as const) {
      writeFileSync(path, content);
      const error = await open(directory).catch((thrown: unknown) => thrown);
      expect(error, what).toMatchObject({ kind: "corrupt", code: "STORE_CORRUPT", details: { path } });
      expect(readFileSync(path).equals(content), what).toBe(true);
      expect(readdirSync(directory), what).not.toContain("fairlead.pid");
    }
    writeFileSync(path, whole);
    await (await open(directory)).state.close();
  });

  it("takes no empty database of SQLite for one of its own", async () => {
    const directory = folder();
    makeDatabase(directory, "PRAGMA journal_mode = WAL");
    await expect(open(directory)).rejects.toMatchObject({ code: "NOT_A_FAIRLEAD_STORE" });
  });
});
